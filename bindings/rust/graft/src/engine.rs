//! An engine: one model, loaded, answering requests.
use std::path::Path;
use std::time::Duration;

use graft_sys::*;

use crate::handle::Handle;
use crate::status::{Result, check};
use crate::text::{self, path_text, pointer_of, size_of};
use crate::{EngineOptions, Input, Profile, Queue, Request, RequestKind, RequestOptions, Tokenizer};

/// One model, loaded, split over its devices, answering requests. `Send` and `Sync`: any thread may use it, any number of
/// engines may live in one process.
///
/// Dropping it never blocks: requests in flight go on to their end, and what was taken from it stays valid.
/// [`shutdown`](Self::shutdown) ends them at once. To share it, put it in an `Arc`.
pub struct Engine {
    raw: Handle<graft_engine>,
}

// SAFETY: engine.h: "Send and Sync: any thread may use it".
unsafe impl Send for Engine {}
// SAFETY: as above.
unsafe impl Sync for Engine {}

impl Engine {
    /// Opens a model directory with every default; [`EngineOptions::open`] has the others. Blocks until it can answer.
    ///
    /// # Errors
    /// `NotFound` (the path, or LibTorch), `Unsupported` (architecture, dtype, device), `CorruptData`, `IoError`,
    /// `OutOfMemory`, `LimitExceeded`, `CommError` (a rank did not come), `VersionMismatch` (a foreign LibTorch),
    /// `InvalidArgument` (a path that is not UTF-8).
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path.as_ref(), None)
    }

    pub(crate) fn open_with(path: &Path, options: Option<&EngineOptions>) -> Result<Self> {
        let path = path_text(path)?;
        let options = options.map_or(std::ptr::null_mut(), EngineOptions::pointer);
        // SAFETY: the text has that size, the options are NULL or valid and this thread's, the place is valid.
        let open = |out| unsafe { graft_engine_open(pointer_of(path), size_of(path.len()), options, out) };
        Ok(Self { raw: Handle::made(open)? })
    }

    /// What [`open`](Self::open) would do with a model, as a JSON object. Loads no weights.
    ///
    /// # Errors
    /// `NotFound`, `Unsupported`, `CorruptData`, `IoError`, `VersionMismatch`.
    pub fn inspect(path: impl AsRef<Path>) -> Result<String> {
        Self::inspect_with(path.as_ref(), None)
    }

    pub(crate) fn inspect_with(path: &Path, options: Option<&EngineOptions>) -> Result<String> {
        let path = path_text(path)?;
        let options = options.map_or(std::ptr::null_mut(), EngineOptions::pointer);
        // SAFETY: as in open_with.
        text::made(|out| unsafe { graft_engine_inspect(pointer_of(path), size_of(path.len()), options, out) })
    }

    /// Hands an input to the engine and returns at once; the answer is pulled from the [`Request`]. Input and options are
    /// copied.
    ///
    /// # Errors
    /// `InvalidArgument` (input or options do not fit the model), `LimitExceeded` (longer than the context), `Busy` (too
    /// many requests wait), `Unsupported`, `InvalidState` (this rank takes no requests), `Closed` (after
    /// [`shutdown`](Self::shutdown)).
    pub fn submit(&self, input: &Input, options: Option<&RequestOptions>) -> Result<Request> {
        self.submit_raw(input, options, std::ptr::null_mut(), 0)
    }

    /// The same, with the events going to a queue; each carries `tag`. The [`Request`] is then for cancelling, waiting
    /// and taking tensors; dropping it cancels.
    ///
    /// # Errors
    /// As [`submit`](Self::submit).
    pub fn submit_to(
        &self,
        queue: &Queue,
        tag: i64,
        input: &Input,
        options: Option<&RequestOptions>,
    ) -> Result<Request> {
        self.submit_raw(input, options, queue.pointer(), tag)
    }

    fn submit_raw(
        &self,
        input: &Input,
        options: Option<&RequestOptions>,
        queue: *mut graft_queue,
        tag: i64,
    ) -> Result<Request> {
        let options = options.map_or(std::ptr::null_mut(), RequestOptions::pointer);
        // SAFETY: all handles are NULL or valid; input and options are this thread's, engine and queue are Sync.
        let submit = |out| unsafe { graft_request_submit(self.pointer(), input.pointer(), options, queue, tag, out) };
        Ok(Request::new(Handle::made(submit)?))
    }

    /// The embedding of one text, waited for.
    ///
    /// # Errors
    /// As [`submit`](Self::submit), and how the request failed.
    pub fn embed(&self, text: &str) -> Result<Vec<f32>> {
        let mut options = RequestOptions::new()?;
        options.kind(RequestKind::Embed)?;
        let request = self.submit(&Input::from_text(text)?, Some(&options))?;
        request.wait(None)?;
        Ok(request.tensor("embedding")?.as_slice::<f32>()?.to_vec())
    }

    /// Ends the engine in an orderly way: refuses new requests, cancels those in flight, waits until its threads and
    /// memory are released. False when the time was over first; call again. Not from a callback of this engine.
    ///
    /// # Errors
    /// None expected.
    pub fn shutdown(&self, timeout: Option<Duration>) -> Result<bool> {
        // SAFETY: the handle is valid, any thread may call.
        text::waited(unsafe { graft_engine_close(self.pointer(), text::milliseconds(timeout)) })
    }

    /// Waits until the engine has ended: on rank 0 until it was shut down or failed, on another rank until rank 0 did.
    /// False when the time was over first.
    ///
    /// # Errors
    /// `CommError`, `DeviceError`: why it ended.
    pub fn wait(&self, timeout: Option<Duration>) -> Result<bool> {
        // SAFETY: the handle is valid, any thread may call.
        text::waited(unsafe { graft_engine_wait(self.pointer(), text::milliseconds(timeout)) })
    }

    /// The model's tokenizer; it does not need the engine afterwards.
    ///
    /// # Errors
    /// `NotFound`: the model has none.
    pub fn tokenizer(&self) -> Result<Tokenizer> {
        // SAFETY: the handle is valid, any thread may call; the place is valid.
        Handle::made(|out| unsafe { graft_engine_tokenizer(self.pointer(), out) }).map(Tokenizer::new)
    }

    /// What the engine is, as a JSON object: policy, dtype, devices, the split, context limit, memory, labels, pooling.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub fn info(&self) -> Result<String> {
        // SAFETY: the handle is valid, any thread may call; the place is valid.
        text::made(|out| unsafe { graft_engine_info(self.pointer(), out) })
    }

    /// What the engine has done since it was opened, as a JSON object: requests, tokens, times, cache use.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub fn stats(&self) -> Result<String> {
        // SAFETY: the handle is valid, any thread may call; the place is valid.
        text::made(|out| unsafe { graft_engine_stats(self.pointer(), out) })
    }

    /// Writes the model as the engine holds it into an empty or new directory.
    ///
    /// # Errors
    /// `Unsupported` in this release; `InvalidState` (one rank's share only), `IoError`.
    pub fn save(&self, directory: impl AsRef<Path>) -> Result<()> {
        let directory = path_text(directory.as_ref())?;
        // SAFETY: the handle is valid, any thread may call; the text has that size.
        check(unsafe { graft_engine_save(self.pointer(), pointer_of(directory), size_of(directory.len())) })
    }

    /// Begins or ends measuring forward passes; legal while requests run.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub fn profile(&self, enabled: bool) -> Result<()> {
        // SAFETY: the handle is valid, any thread may call.
        check(unsafe { graft_engine_profile(self.pointer(), enabled.into()) })
    }

    /// Takes what was measured since the last take.
    ///
    /// # Errors
    /// `InvalidState` (profiling is off and nothing is left; this process follows rank 0), `OutOfMemory`.
    pub fn take_profile(&self) -> Result<Profile> {
        // SAFETY: the handle is valid, any thread may call; the place is valid.
        Handle::made(|out| unsafe { graft_profile_take(self.pointer(), out) }).map(Profile::new)
    }

    fn pointer(&self) -> *mut graft_engine {
        self.raw.pointer()
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}
