//! Many threads, every order of dropping, and objects that end while others use them.
mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use common::{answer, engine, input, steady};
use graft::*;

#[test]
fn threads_share_an_engine() {
    let engine = engine();
    let alone = answer(&engine, 8).unwrap();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..8).map(|_| scope.spawn(|| answer(&engine, 8).unwrap())).collect();
        for worker in workers {
            assert_eq!(worker.join().unwrap(), alone);
        }
    });
}

#[test]
fn a_tokenizer_and_a_tensor_are_shared() {
    let tokenizer = engine().tokenizer().unwrap();
    let tensor = Tensor::from_slice(&[3], &[1.0f32, 2.0, 3.0]).unwrap();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..200 {
                    let ids = tokenizer.encode("What is 27 + 58?", false).unwrap();
                    assert_eq!(tokenizer.decode(&ids, false).unwrap(), "What is 27 + 58?");
                    assert_eq!(tensor.as_slice::<f32>().unwrap().iter().sum::<f32>(), 6.0);
                }
            });
        }
    });
}

/// Failures of two threads keep their own texts.
#[test]
fn errors_belong_to_their_thread() {
    thread::scope(|scope| {
        for name in ["/none/a", "/none/b"] {
            scope.spawn(move || {
                for _ in 0..200 {
                    assert!(Tokenizer::open(name).unwrap_err().message().contains(name));
                }
            });
        }
    });
}

#[test]
fn objects_are_dropped_in_any_order() {
    let expected = answer(&engine(), 20).unwrap();
    for order in 0..6 {
        let engine = engine();
        let tokenizer = engine.tokenizer().unwrap();
        let queue = Queue::new().unwrap();
        let pulled = engine.submit(&input(), Some(&steady(20))).unwrap();
        let queued = engine.submit_to(&queue, 1, &input(), Some(&steady(20))).unwrap();
        match order {
            0 => drop((engine, queue, queued, tokenizer)),
            1 => drop((queue, engine, tokenizer, queued)),
            2 => drop((queued, tokenizer, queue, engine)),
            3 => drop((tokenizer, queued, engine, queue)),
            4 => {
                let canceller = queued.canceller();
                drop((engine, queued, queue));
                let _ = canceller.wait(None);
                canceller.cancel();
                drop(tokenizer);
            }
            _ => {
                // a request whose engine is gone goes on to its end
                drop(engine);
                assert!(queued.wait(None).unwrap());
                drop((queued, tokenizer, queue));
            }
        }
        assert_eq!(pulled.into_text().unwrap(), expected, "order {order}");
    }
}

#[test]
fn a_tensor_outlives_request_and_engine() {
    let engine = engine();
    let mut options = RequestOptions::new().unwrap();
    options.kind(RequestKind::Logits).unwrap();
    let request = engine.submit(&Input::from_tokens(&[635, 382]).unwrap(), Some(&options)).unwrap();
    request.wait(None).unwrap();
    let tensor = request.tensor("logits").unwrap();
    let before = tensor.as_slice::<f32>().unwrap().to_vec();
    drop((request, engine));
    assert_eq!(tensor.shape()[0], 2);
    assert_eq!(tensor.as_slice::<f32>().unwrap(), before);
}

#[test]
fn a_canceller_reaches_a_thread_that_pulls() {
    let engine = engine();
    let mut request = engine.submit(&input(), Some(&steady(240))).unwrap();
    let canceller = request.canceller();
    let first = request.next().unwrap().unwrap();
    assert_ne!(first.kind, EventKind::Finished);
    let puller = thread::spawn(move || request.last().unwrap().unwrap().finish_reason);
    canceller.cancel();
    assert_eq!(puller.join().unwrap(), Some(FinishReason::Cancelled));
    assert_eq!(canceller.wait(None).unwrap_err().status(), Status::Cancelled);
}

#[test]
fn dropping_a_request_cancels_it_though_a_canceller_lives() {
    let engine = engine();
    let request = engine.submit(&input(), Some(&steady(240))).unwrap();
    let canceller = request.canceller();
    drop(request);
    assert_eq!(canceller.wait(Some(Duration::from_secs(30))).unwrap_err().status(), Status::Cancelled);
}

#[test]
fn closing_a_queue_sends_all_its_waiters_home() {
    for _ in 0..50 {
        let queue = Arc::new(Queue::new().unwrap());
        let ready = Arc::new(Barrier::new(5));
        let waiters: Vec<_> = (0..4)
            .map(|_| {
                let (queue, ready) = (Arc::clone(&queue), Arc::clone(&ready));
                thread::spawn(move || {
                    let mut event = EventBuffer::new().unwrap();
                    ready.wait();
                    queue.next(&mut event, None).unwrap_err().status()
                })
            })
            .collect();
        ready.wait();
        queue.close();
        queue.close();
        for waiter in waiters {
            assert_eq!(waiter.join().unwrap(), Status::Closed);
        }
        assert_eq!(queue.next(&mut EventBuffer::new().unwrap(), None).unwrap_err().status(), Status::Closed);
    }
}

#[test]
fn a_queue_serves_many_requests_and_can_be_woken() {
    let engine = engine();
    let queue = Queue::new().unwrap();
    let mut event = EventBuffer::new().unwrap();
    assert!(!queue.next(&mut event, Some(Duration::from_millis(1))).unwrap());
    queue.wake().unwrap();
    assert!(!queue.next(&mut event, None).unwrap());
    let requests: Vec<_> =
        (0..6).map(|tag| engine.submit_to(&queue, tag, &input(), Some(&steady(6))).unwrap()).collect();
    let mut texts = vec![String::new(); requests.len()];
    let mut finished = 0;
    while finished < requests.len() && queue.next(&mut event, None).unwrap() {
        texts[usize::try_from(event.tag()).unwrap()].push_str(event.text());
        finished += usize::from(event.last());
    }
    let expected = answer(&engine, 6).unwrap();
    assert!(texts.iter().all(|text| *text == expected), "{texts:?}");
    let mut queued = requests.into_iter().next().unwrap();
    assert_eq!(queued.next().unwrap().unwrap_err().status(), Status::InvalidState);
    assert!(queued.next().is_none());
}

/// Requests are dropped and cancelled, and their engine shut down, against calls on other threads.
#[test]
fn ends_race_with_calls() {
    let rounds = std::env::var("GRAFT_RACE_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(500);
    let engine = engine();
    let seen = AtomicUsize::new(0);
    for round in 0..rounds {
        let queue = Queue::new().unwrap();
        let mut pulled = engine.submit(&input(), Some(&steady(30))).unwrap();
        let queued = engine.submit_to(&queue, 0, &input(), Some(&steady(30))).unwrap();
        let (first, second) = (pulled.canceller(), queued.canceller());
        let start = Barrier::new(4);
        thread::scope(|scope| {
            scope.spawn(|| {
                start.wait();
                let mut event = EventBuffer::new().unwrap();
                for _ in 0..round % 7 {
                    seen.fetch_add(usize::from(pulled.pull(&mut event).unwrap()), Ordering::Relaxed);
                }
                drop(pulled);
            });
            scope.spawn(|| {
                start.wait();
                let mut event = EventBuffer::new().unwrap();
                while queue.next(&mut event, None).is_ok() {
                    seen.fetch_add(1, Ordering::Relaxed);
                }
            });
            scope.spawn(|| {
                start.wait();
                first.cancel();
                let _ = first.wait(None);
                drop(first);
                queue.close();
            });
            start.wait();
            second.cancel();
            drop(queued);
            let _ = second.wait(None);
        });
    }
    assert!(seen.load(Ordering::Relaxed) > 0);
    assert!(!answer(&engine, 4).unwrap().is_empty());
}

#[test]
fn a_shutdown_ends_what_others_pull() {
    for _ in 0..10 {
        let engine = engine();
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| match engine.submit(&input(), Some(&steady(200))) {
                    Ok(request) => drop(request.map(Result::ok).count()),
                    Err(error) => assert_eq!(error.status(), Status::Closed),
                });
            }
            thread::sleep(Duration::from_millis(5));
            assert!(engine.shutdown(None).unwrap());
        });
    }
}
