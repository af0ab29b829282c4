//! Many requests, one queue.
use std::thread;
use std::time::Duration;

use graft::{EventBuffer, EventKind, Queue};

use crate::session::{Session, submit_to};
use crate::table::Case;
use crate::{Kind, Outcome};

pub fn find(kind: &str) -> Option<Kind> {
    Some(match kind {
        "queue" => queue,
        "queue_timeout" => |_, _| wait_in(&Queue::new()?, Some(Duration::from_millis(10))),
        "queue_wake" => |_, _| meanwhile(|queue| queue.wake().expect("a wake does not fail")),
        "queue_close" => |_, _| meanwhile(Queue::close),
        "next_with_queue" => |session, case| {
            let queue = Queue::new()?;
            let mut request = submit_to(case, session.engine(case)?.as_ref(), &queue, 0)?;
            request.pull(&mut EventBuffer::new()?).map(|_| "ok".into())
        },
        _ => return None,
    })
}

fn queue(session: &Session, case: &Case) -> Outcome {
    let engine = session.engine(case)?;
    let queue = Queue::new()?;
    let count = case.number("count", 1);
    let requests = (0..count).map(|tag| submit_to(case, &engine, &queue, tag)).collect::<graft::Result<Vec<_>>>()?;
    let mut texts = vec![String::new(); requests.len()];
    let mut event = EventBuffer::new()?;
    let mut finished = 0;
    while finished < count && queue.next(&mut event, Some(Duration::from_secs(60)))? {
        texts[usize::try_from(event.tag()).expect("a tag")] += event.text();
        finished += i64::from(matches!(event.kind(), EventKind::Finished | EventKind::Error));
    }
    let equal = texts.iter().filter(|text| !text.is_empty() && **text == texts[0]).count();
    Ok(format!("{finished} finished, {equal} equal"))
}

fn wait_in(queue: &Queue, timeout: Option<Duration>) -> Outcome {
    let mut event = EventBuffer::new()?;
    Ok(match queue.next(&mut event, timeout) {
        Ok(true) => "OK",
        Ok(false) => "TIMEOUT",
        Err(error) => error.status().name(),
    }
    .into())
}

/// Waits for ever while another thread does something to the queue.
fn meanwhile(act: fn(&Queue)) -> Outcome {
    let queue = Queue::new()?;
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(50));
            act(&queue);
        });
        wait_in(&queue, None)
    })
}
