//! One input on its way through an engine.
use std::iter::FusedIterator;
use std::sync::Arc;
use std::time::Duration;

use graft_sys::*;

use crate::handle::Handle;
use crate::status::{Error, Result, Status};
use crate::text::{self, pointer_of, size_of};
use crate::{Event, EventBuffer, EventKind, Tensor};

/// The request as a [`Request`] and its [`Canceller`]s share it.
struct Shared(Handle<graft_request>);

// SAFETY: request.h: "Send".
unsafe impl Send for Shared {}
// SAFETY: request.h: "not Sync, except graft_request_cancel and graft_request_wait, which any thread may call". Those,
// graft_request_tensor and graft_request_error_message ("Thread any") are all that is called through a shared reference;
// graft_request_next needs the one Request, by &mut.
unsafe impl Sync for Shared {}

impl Shared {
    fn cancel(&self) {
        // SAFETY: the handle is valid, any thread may call. No failure is expected, and none could be acted upon.
        unsafe { graft_request_cancel(self.0.pointer()) };
    }

    fn wait(&self, timeout: Option<Duration>) -> Result<bool> {
        // SAFETY: the handle is valid, any thread may call.
        let code = unsafe { graft_request_wait(self.0.pointer(), text::milliseconds(timeout)) };
        text::waited(code).map_err(|error| match self.message() {
            "" => error,
            message => Error::new(error.status(), message),
        })
    }

    fn message(&self) -> &str {
        // SAFETY: lives as long as the request; any thread may call.
        unsafe { text::borrowed(graft_request_error_message(self.0.pointer())) }
    }
}

/// What a pull with a time-out came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pull {
    /// The buffer holds the next event.
    Event,
    /// Nothing yet.
    Timeout,
    /// Nothing more will come.
    End,
}

/// One input on its way through an engine. Answers are pulled, event by event: it is an iterator, and with
/// [`pull`](Self::pull) and one [`EventBuffer`] nothing is allocated for a token.
///
/// `Send`, not `Sync`; a [`Canceller`] cancels or waits on any thread. Dropping the request cancels it.
///
/// ```
/// # fn main() -> graft::Result<()> {
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../examples/model");
/// # let engine = graft::Engine::open(path)?;
/// use graft::{EventBuffer, Input};
///
/// let mut request = engine.submit(&Input::from_text("What is")?, None)?;
/// let mut event = EventBuffer::new()?;
/// while request.pull(&mut event)? {
///     print!("{}", event.text());
/// }
/// # Ok(())
/// # }
/// ```
pub struct Request {
    shared: Arc<Shared>,
    buffer: Option<EventBuffer>, // of the iterator
    ended: bool,
}

impl Request {
    pub(crate) fn new(raw: Handle<graft_request>) -> Self {
        Self { shared: Arc::new(Shared(raw)), buffer: None, ended: false }
    }

    /// Waits for the next event and refills `event` with it. False: nothing more will come.
    ///
    /// # Errors
    /// How the request failed, once; then it is at its end. `InvalidState`: its events go to a queue.
    #[inline]
    pub fn pull(&mut self, event: &mut EventBuffer) -> Result<bool> {
        self.pull_timeout(event, None).map(|pulled| pulled == Pull::Event)
    }

    /// The same, for so long.
    ///
    /// # Errors
    /// As [`pull`](Self::pull).
    #[inline]
    pub fn pull_timeout(&mut self, event: &mut EventBuffer, timeout: Option<Duration>) -> Result<Pull> {
        let milliseconds = text::milliseconds(timeout);
        // SAFETY: both handles are valid, and &mut makes this the one thread that pulls.
        let code = unsafe { graft_request_next(self.shared.0.pointer(), milliseconds, event.pointer()) };
        match code {
            GRAFT_STATUS_OK if event.kind() == EventKind::Error => {
                Err(event.error().unwrap_or_else(|| Error::new(Status::Internal, "an error event has no status")))
            }
            GRAFT_STATUS_OK => Ok(Pull::Event),
            GRAFT_STATUS_TIMEOUT => Ok(Pull::Timeout),
            GRAFT_STATUS_END => Ok(Pull::End),
            failure => Err(Error::of_last_call(failure)),
        }
    }

    /// Pulls to the end and gives the text of the first answer.
    ///
    /// # Errors
    /// How the request failed.
    pub fn into_text(mut self) -> Result<String> {
        let mut event = EventBuffer::new()?;
        let mut text = String::new();
        while self.pull(&mut event)? {
            if event.sequence() == 0 {
                text.push_str(event.text());
            }
        }
        Ok(text)
    }

    /// Asks the engine to stop working on it; it ends as cancelled unless it has ended before. Twice is fine.
    pub fn cancel(&self) {
        self.shared.cancel();
    }

    /// For cancelling or waiting on other threads, also while this one pulls.
    pub fn canceller(&self) -> Canceller {
        Canceller { shared: Arc::clone(&self.shared) }
    }

    /// Waits until the request has ended; its events stay where they are. False when the time was over first.
    ///
    /// # Errors
    /// How the request failed; `Cancelled`.
    pub fn wait(&self, timeout: Option<Duration>) -> Result<bool> {
        self.shared.wait(timeout)
    }

    /// A result of a finished request of kind logits, embed or hidden: `"logits"`, `"embedding"`, `"hidden"`, or
    /// `"scores"` of a sequence classifier. It outlives request and engine.
    ///
    /// # Errors
    /// `NotFound` (the request has no such result), `InvalidState` (not finished).
    pub fn tensor(&self, name: &str) -> Result<Tensor> {
        let (pointer, size) = (pointer_of(name), size_of(name.len()));
        // SAFETY: the handle is valid, any thread may call; the text has that size, the place is valid.
        Handle::made(|out| unsafe { graft_request_tensor(self.shared.0.pointer(), pointer, size, out) })
            .map(Tensor::from_raw)
    }

    /// Text of the request's failure; empty when there is none.
    pub fn error_message(&self) -> &str {
        self.shared.message()
    }
}

impl Iterator for Request {
    type Item = Result<Event>;

    /// The next event, waited for; after a failure, `None`.
    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let mut buffer = match self.buffer.take().map_or_else(EventBuffer::new, Ok) {
            Ok(buffer) => buffer,
            Err(error) => {
                self.ended = true;
                return Some(Err(error));
            }
        };
        let pulled = self.pull(&mut buffer);
        self.ended = !matches!(pulled, Ok(true));
        let event = match pulled {
            Ok(true) => Some(buffer.to_event()),
            Ok(false) => None,
            Err(error) => Some(Err(error)),
        };
        self.buffer = Some(buffer);
        event
    }
}

impl FusedIterator for Request {}

impl Drop for Request {
    fn drop(&mut self) {
        self.shared.cancel(); // a Canceller may keep the handle, but not the work
    }
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request").finish_non_exhaustive()
    }
}

/// Cancels a [`Request`] or waits for it, on any thread. `Send`, `Sync` and `Clone`; it does not keep the request's work
/// alive.
#[derive(Clone)]
pub struct Canceller {
    shared: Arc<Shared>,
}

impl Canceller {
    /// As [`Request::cancel`].
    pub fn cancel(&self) {
        self.shared.cancel();
    }

    /// As [`Request::wait`].
    ///
    /// # Errors
    /// As [`Request::wait`].
    pub fn wait(&self, timeout: Option<Duration>) -> Result<bool> {
        self.shared.wait(timeout)
    }
}

impl std::fmt::Debug for Canceller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Canceller").finish_non_exhaustive()
    }
}
