//! Answers as a `futures_core::Stream`, for any executor: feature `stream`.
//!
//! One [`Dispatcher`] has a queue and a thread that waits in it and wakes the tasks whose events came, so any number of
//! answers need no more than that one thread.
use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use futures_core::stream::FusedStream;

use crate::{
    Canceller, Engine, Error, Event, EventBuffer, Input, Queue, Request, RequestOptions, Result, Status, Tensor,
};

/// Hands out the events of many requests, of any engines, to the tasks that wait for them. `Send`, `Sync` and `Clone`
/// (the clones are one dispatcher). Its streams may outlive it; its thread ends with the last of both.
///
/// ```
/// # fn main() -> graft::Result<()> {
/// # use std::{future::poll_fn, pin::{pin, Pin}, task::{Context, Poll, Waker}};
/// # use futures_core::Stream;
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../examples/model");
/// # let engine = graft::Engine::open(path)?;
/// let dispatcher = graft::stream::Dispatcher::new()?;
/// let mut answer = dispatcher.submit(&engine, &graft::Input::from_text("What is")?, None)?;
/// let task = async {
///     let mut text = String::new();
///     while let Some(event) = poll_fn(|context| Pin::new(&mut answer).poll_next(context)).await {
///         text.push_str(&event?.text);
///     }
///     Ok::<_, graft::Error>(text)
/// };
/// # let mut task = pin!(task);
/// # while task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {}
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Dispatcher {
    owner: Arc<Owner>,
}

impl Dispatcher {
    /// Makes the queue and starts the thread.
    ///
    /// # Errors
    /// As [`Queue::new`]; `OutOfMemory` when no thread can be started.
    pub fn new() -> Result<Self> {
        let hub = Arc::new(Hub { queue: Queue::new()?, next_tag: AtomicI64::new(0), places: Mutex::default() });
        let event = EventBuffer::new()?;
        let thread_hub = Arc::clone(&hub);
        std::thread::Builder::new()
            .name("graft-events".into())
            .spawn(move || thread_hub.run(event))
            .map_err(|error| Error::new(Status::OutOfMemory, format!("no thread for the events: {error}")))?;
        Ok(Self { owner: Arc::new(Owner { hub }) })
    }

    /// As [`Engine::submit`], the answer as a stream. Any thread.
    ///
    /// # Errors
    /// As [`Engine::submit`].
    pub fn submit(&self, engine: &Engine, input: &Input, options: Option<&RequestOptions>) -> Result<EventStream> {
        let hub = &self.owner.hub;
        let tag = hub.next_tag.fetch_add(1, Ordering::Relaxed);
        let place = Arc::<Place>::default();
        hub.places().insert(tag, Arc::clone(&place)); // before the first event can come
        match engine.submit_to(&hub.queue, tag, input, options) {
            Ok(request) => Ok(EventStream { request, ended: false, place, tag, owner: Arc::clone(&self.owner) }),
            Err(error) => {
                hub.places().remove(&tag);
                Err(error)
            }
        }
    }
}

/// Closes the queue, and with it ends the thread, when the last dispatcher and the last stream are gone.
#[derive(Debug)]
struct Owner {
    hub: Arc<Hub>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.hub.queue.close();
    }
}

#[derive(Debug)]
struct Hub {
    queue: Queue,
    next_tag: AtomicI64,
    places: Mutex<HashMap<i64, Arc<Place>>>,
}

impl Hub {
    fn places(&self) -> MutexGuard<'_, HashMap<i64, Arc<Place>>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, mut event: EventBuffer) {
        loop {
            match self.queue.next(&mut event, None) {
                Ok(true) => {
                    let place = self.places().get(&event.tag()).cloned();
                    if let Some(place) = place {
                        place.put(event.error().map_or_else(|| event.to_event(), Err));
                    }
                }
                Ok(false) => {}
                Err(_) => return, // closed: nobody is left
            }
        }
    }
}

/// Where the events of one request wait for its task.
#[derive(Debug, Default)]
struct Place(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    events: VecDeque<Result<Event>>,
    waker: Option<Waker>,
}

impl Place {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, event: Result<Event>) {
        let waker = {
            let mut waiting = self.waiting();
            waiting.events.push_back(event);
            waiting.waker.take()
        };
        if let Some(waker) = waker {
            // an executor's panic must not end the thread that serves all others
            let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
        }
    }
}

/// The answer to one request: its events, then the end; a failure is the last item. Dropping it cancels the request.
/// `Send`, not `Sync`.
#[derive(Debug)]
pub struct EventStream {
    request: Request,
    ended: bool,
    place: Arc<Place>,
    tag: i64,
    owner: Arc<Owner>,
}

impl EventStream {
    /// As [`Request::cancel`]; the stream then comes to its end soon.
    pub fn cancel(&self) {
        self.request.cancel();
    }

    /// As [`Request::canceller`].
    pub fn canceller(&self) -> Canceller {
        self.request.canceller()
    }

    /// As [`Request::tensor`]: once the stream is at its end.
    ///
    /// # Errors
    /// As [`Request::tensor`].
    pub fn tensor(&self, name: &str) -> Result<Tensor> {
        self.request.tensor(name)
    }
}

impl Stream for EventStream {
    type Item = Result<Event>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.ended {
            return Poll::Ready(None);
        }
        let event = {
            let mut waiting = this.place.waiting();
            let event = waiting.events.pop_front();
            if event.is_none() {
                waiting.waker = Some(context.waker().clone());
            }
            event
        };
        let Some(event) = event else { return Poll::Pending };
        this.ended = event.as_ref().map_or(true, |event| event.last);
        Poll::Ready(Some(event))
    }
}

impl FusedStream for EventStream {
    fn is_terminated(&self) -> bool {
        self.ended
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        self.owner.hub.places().remove(&self.tag);
    }
}
