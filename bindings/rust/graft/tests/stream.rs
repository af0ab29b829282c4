//! Answers as streams, polled by hand on threads that sleep until they are woken.
#![cfg(feature = "stream")]
mod common;

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use common::{answer, engine, input, options, steady};
use futures_core::Stream;
use graft::stream::{Dispatcher, EventStream};
use graft::*;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn next(stream: &mut EventStream) -> Option<Result<Event>> {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut stream = pin!(stream);
    loop {
        match Pin::new(&mut *stream).poll_next(&mut context) {
            Poll::Ready(event) => return event,
            Poll::Pending => thread::park(),
        }
    }
}

fn all(mut stream: EventStream) -> Vec<Result<Event>> {
    std::iter::from_fn(|| next(&mut stream)).collect()
}

#[test]
fn streams_give_what_iterators_give() {
    let engine = engine();
    let dispatcher = Dispatcher::new().unwrap();
    let expected = answer(&engine, 10).unwrap();
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let stream = dispatcher.submit(&engine, &input(), Some(&steady(10))).unwrap();
                let events = all(stream);
                let text: String = events.iter().map(|event| event.as_ref().unwrap().text.as_str()).collect();
                assert_eq!(text, expected);
                assert_eq!(events.last().unwrap().as_ref().unwrap().finish_reason, Some(FinishReason::Length));
            });
        }
    });
}

#[test]
fn a_stream_outlives_dispatcher_and_engine() {
    let engine = engine();
    let dispatcher = Dispatcher::new().unwrap();
    let stream = dispatcher.submit(&engine, &input(), Some(&steady(10))).unwrap();
    drop((dispatcher, engine));
    assert_eq!(all(stream).iter().filter(|event| event.as_ref().unwrap().token.is_some()).count(), 10);
}

#[test]
fn several_answers_end_when_the_last_does() {
    let engine = engine();
    let dispatcher = Dispatcher::new().unwrap();
    let json = r#"{"num_sequences": 3, "seed": 1, "max_tokens": 6, "ignore_eos": true}"#;
    for several in [options(json), {
        let mut typed = options(r#"{"seed": 1, "max_tokens": 6, "ignore_eos": true}"#);
        typed.num_sequences(3).unwrap();
        typed
    }] {
        let events = all(dispatcher.submit(&engine, &input(), Some(&several)).unwrap());
        let ends = events.iter().filter(|event| event.as_ref().unwrap().kind == EventKind::Finished).count();
        assert_eq!(ends, 3);
    }
}

#[test]
fn cancelled_streams_end_wherever_they_were() {
    let engine = EngineOptions::new().unwrap().threads(1).unwrap().max_sequences(3).unwrap().open(common::model());
    let engine = engine.unwrap();
    let dispatcher = Dispatcher::new().unwrap();
    let long = options(r#"{"num_sequences": 3, "seed": 1, "max_tokens": 200, "ignore_eos": true}"#);
    // the first runs, the others wait for its end
    let mut streams: Vec<_> = (0..4).map(|_| dispatcher.submit(&engine, &input(), Some(&long)).unwrap()).collect();
    assert!(next(&mut streams[0]).unwrap().is_ok());
    for stream in &streams {
        stream.cancel();
    }
    for stream in streams {
        let events = all(stream);
        let last = events.last().unwrap().as_ref().unwrap();
        assert_eq!(last.finish_reason, Some(FinishReason::Cancelled));
    }
}

#[test]
fn a_failure_is_the_last_item() {
    let engine = engine();
    let dispatcher = Dispatcher::new().unwrap();
    let hurried = options(r#"{"max_tokens": 240, "ignore_eos": true, "deadline_ms": 1}"#);
    let events = all(dispatcher.submit(&engine, &input(), Some(&hurried)).unwrap());
    assert_eq!(events.last().unwrap().as_ref().unwrap_err().status(), Status::DeadlineExceeded);
    let refused = dispatcher.submit(&engine, &Input::new().unwrap(), None);
    assert_eq!(refused.unwrap_err().status(), Status::InvalidArgument);
}

#[test]
fn embeddings_and_logits_come_as_tensors() {
    let engine = engine();
    let dispatcher = Dispatcher::new().unwrap();
    let mut logits = RequestOptions::new().unwrap();
    logits.kind(RequestKind::Logits).unwrap();
    let mut stream = dispatcher.submit(&engine, &Input::from_tokens(&[635, 382]).unwrap(), Some(&logits)).unwrap();
    while let Some(event) = next(&mut stream) {
        event.unwrap();
    }
    assert_eq!(stream.tensor("logits").unwrap().shape(), [2, 896]);
}

#[test]
fn dropped_streams_leave_the_others_alone() {
    let engine = engine();
    let dispatcher = Dispatcher::new().unwrap();
    for _ in 0..50 {
        drop(dispatcher.submit(&engine, &input(), Some(&steady(200))).unwrap());
    }
    assert_eq!(
        all(dispatcher.submit(&engine, &input(), Some(&steady(5))).unwrap()).last().unwrap().as_ref().unwrap().kind,
        EventKind::Finished
    );
}
