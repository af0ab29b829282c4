//! The events of any number of requests in one place.
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use graft_sys::*;

use crate::EventBuffer;
use crate::handle::Handle;
use crate::status::{Error, Result, Status, check};
use crate::text;

/// The events of any number of requests, of any engines, so that one thread can serve thousands. `Send` and `Sync`.
///
/// ```
/// # fn main() -> graft::Result<()> {
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../examples/model");
/// # let engine = graft::Engine::open(path)?;
/// use graft::{EventBuffer, Input, Queue};
///
/// let queue = Queue::new()?;
/// let input = Input::from_text("What is")?;
/// let requests = (0..4).map(|tag| engine.submit_to(&queue, tag, &input, None)).collect::<graft::Result<Vec<_>>>()?;
/// let mut event = EventBuffer::new()?;
/// let mut finished = 0;
/// while finished < requests.len() && queue.next(&mut event, None)? {
///     finished += usize::from(event.last());
/// }
/// # Ok(())
/// # }
/// ```
pub struct Queue {
    raw: Handle<graft_queue>,
    closed: AtomicBool,
}

// SAFETY: queue.h: "Send and Sync".
unsafe impl Send for Queue {}
// SAFETY: as above; the flag is atomic.
unsafe impl Sync for Queue {}

impl Queue {
    /// An empty queue.
    ///
    /// # Errors
    /// `OutOfMemory`; `NotFound` and `VersionMismatch` (LibTorch).
    pub fn new() -> Result<Self> {
        // SAFETY: the place is valid for the call.
        let raw = Handle::made(|out| unsafe { graft_queue_new(out) })?;
        Ok(Self { raw, closed: AtomicBool::new(false) })
    }

    /// Waits for the next event of any request and refills `event` with it; its tag says whose it is. Several threads may
    /// wait, each with a buffer of its own: each event goes to one of them. False: the time was over, or
    /// [`wake`](Self::wake).
    ///
    /// # Errors
    /// `Closed`, after [`close`](Self::close).
    pub fn next(&self, event: &mut EventBuffer, timeout: Option<Duration>) -> Result<bool> {
        let milliseconds = text::milliseconds(timeout);
        if self.closed.load(Ordering::SeqCst) {
            return Err(Self::is_closed());
        }
        // SAFETY: both handles are valid; the queue is Sync, the event this thread's.
        let code = unsafe { graft_queue_next(self.pointer(), milliseconds, event.pointer()) };
        if self.closed.load(Ordering::SeqCst) {
            self.wake()?; // the next of those that still wait
            return Err(Self::is_closed());
        }
        text::waited(code)
    }

    /// Makes one waiting [`next`](Self::next) return false, or the next one if none waits. Any thread.
    ///
    /// # Errors
    /// None expected.
    pub fn wake(&self) -> Result<()> {
        // SAFETY: the handle is valid, any thread may call.
        check(unsafe { graft_queue_wake(self.pointer()) })
    }

    /// Ends the queue while others share it: threads waiting in [`next`](Self::next), and later calls, fail with
    /// `Closed`, and later events are dropped with it. Never blocks; twice is fine. Any thread.
    pub fn close(&self) {
        if !self.closed.swap(true, Ordering::SeqCst) {
            // One wake is enough: who leaves wakes the next, and a wake that nobody waits for is kept for who was on the
            // way in. It has no failure to report.
            let _ = self.wake();
        }
    }

    pub(crate) fn pointer(&self) -> *mut graft_queue {
        self.raw.pointer()
    }

    fn is_closed() -> Error {
        Error::new(Status::Closed, "the queue is closed")
    }
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").field("closed", &self.closed).finish_non_exhaustive()
    }
}
