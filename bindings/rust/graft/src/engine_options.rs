//! How to open a model.
use std::any::Any;
use std::ffi::{c_char, c_void};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::time::Duration;

use graft_sys::*;

use crate::handle::Handle;
use crate::status::{Result, check};
use crate::text::{self, path_text, pointer_of, size_of};
use crate::{Engine, Policy};

/// How weight files are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Weights {
    /// Mapped. A file that is shortened meanwhile can end the process.
    #[default]
    Map,
    /// Copied into memory at load; safe whatever happens to the file.
    Read,
}

/// This process as one rank of several ([`EngineOptions::rank`]).
#[derive(Clone, Copy, Debug)]
pub struct Rank<'a> {
    /// This process: 0 to `world` - 1; -1 = all ranks in this process, and `world` is then 0.
    pub rank: i64,
    /// Number of processes.
    pub world: i64,
    /// Host that rank 0 listens on.
    pub address: &'a str,
    /// Its port.
    pub port: u16,
    /// After which a silent rank is `CommError` on all others; zero = a minute.
    pub timeout: Duration,
}

/// How to open a model: everything has a default. `Send`, not `Sync`: set them up on one thread, then open any number of
/// engines with them; each copies what it needs.
///
/// A setter fails with `InvalidArgument` for a value outside the stated range, or `OutOfMemory`; the old value then
/// stands. Every setting can be made; one that release, model or machine do not offer makes [`open`](Self::open) fail
/// with `Unsupported` and a text that names it.
///
/// ```
/// # fn main() -> graft::Result<()> {
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../examples/model");
/// let engine = graft::EngineOptions::new()?.device("cpu")?.threads(1)?.open(path)?;
/// # Ok(())
/// # }
/// ```
pub struct EngineOptions {
    raw: Handle<graft_engine_options>,
}

// SAFETY: engine_options.h: "Send, not Sync".
unsafe impl Send for EngineOptions {}

impl EngineOptions {
    /// Every default.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub fn new() -> Result<Self> {
        // SAFETY: the place is valid for the call.
        Ok(Self { raw: Handle::made(|out| unsafe { graft_engine_options_new(out) })? })
    }

    pub(crate) fn pointer(&self) -> *mut graft_engine_options {
        self.raw.pointer()
    }

    /// Opens a model directory. Blocks until it can answer.
    ///
    /// # Errors
    /// As [`Engine::open`].
    pub fn open(&self, path: impl AsRef<Path>) -> Result<Engine> {
        Engine::open_with(path.as_ref(), Some(self))
    }

    /// Opens a model directory and tells `progress` how far it is: a fraction of [0, 1] that never falls, and what is
    /// being done. It runs on this thread; `Break` gives the load up. A panic in it gives the load up too, and goes on
    /// here.
    ///
    /// ```
    /// # fn main() -> graft::Result<()> {
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../examples/model");
    /// use std::ops::ControlFlow;
    /// let mut last = 0.0;
    /// graft::EngineOptions::new()?.open_with_progress(path, |fraction, what| {
    ///     eprintln!("{:3.0} % {what}", fraction * 100.0);
    ///     last = fraction;
    ///     ControlFlow::Continue(())
    /// })?;
    /// assert_eq!(last, 1.0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Engine::open`], and `Cancelled` after `Break`.
    pub fn open_with_progress(
        &mut self,
        path: impl AsRef<Path>,
        mut progress: impl FnMut(f64, &str) -> ControlFlow<()>,
    ) -> Result<Engine> {
        let mut call = ProgressCall { progress: &mut progress, panic: None };
        // SAFETY: `call` outlives the callback, which is taken away below before anything can return or unwind; while it
        // is set, &mut self keeps every other use of these options out.
        check(unsafe {
            graft_engine_options_set_progress(self.pointer(), Some(tell_progress), (&raw mut call).cast::<c_void>())
        })?;
        let opened = Engine::open_with(path.as_ref(), Some(self));
        // SAFETY: a NULL function is "none".
        let cleared = check(unsafe { graft_engine_options_set_progress(self.pointer(), None, std::ptr::null_mut()) });
        if let Some(panic) = call.panic {
            drop(opened);
            resume_unwind(panic);
        }
        let engine = opened?;
        cleared?;
        Ok(engine)
    }

    /// What [`open`](Self::open) would do with a model, as a JSON object: policy, module tree, what would be replaced,
    /// the split over ranks, memory. Loads no weights.
    ///
    /// # Errors
    /// `NotFound`, `Unsupported`, `CorruptData`, `IoError`, `VersionMismatch`.
    pub fn inspect(&self, path: impl AsRef<Path>) -> Result<String> {
        Engine::inspect_with(path.as_ref(), Some(self))
    }

    /// `"auto"` (default: a CUDA device if one is usable, else the CPU), `"cpu"`, `"cuda"` or `"cuda:N"`.
    pub fn device(&mut self, device: &str) -> Result<&mut Self> {
        self.set_text(graft_engine_options_set_device, device)
    }

    /// Type of weights and arithmetic: `"auto"` (default: as stored), `"float32"`, `"bfloat16"`, `"float16"`, `"int8"`
    /// or `"int4"`.
    pub fn dtype(&mut self, dtype: &str) -> Result<&mut Self> {
        self.set_text(graft_engine_options_set_dtype, dtype)
    }

    /// Quantises the weights while loading: 0 (default: not), 4 or 8 bits, in groups of so many values that share one
    /// scale (0 = the default of the format).
    pub fn quantization(&mut self, bits: i32, group_size: i64) -> Result<&mut Self> {
        // SAFETY: the handle is valid; &mut keeps others out.
        self.done(unsafe { graft_engine_options_set_quantization(self.pointer(), bits, group_size) })
    }

    /// Over how many ranks each layer is split; 1 by default. They are threads of this process unless
    /// [`rank`](Self::rank) or the environment (`WORLD_SIZE`, `RANK`, ...) says otherwise.
    pub fn tensor_parallel(&mut self, ranks: i64) -> Result<&mut Self> {
        self.set_number(graft_engine_options_set_tensor_parallel, ranks)
    }

    /// Over how many ranks the experts are shared out; 1 by default; must divide `tensor_parallel`.
    pub fn expert_parallel(&mut self, ranks: i64) -> Result<&mut Self> {
        self.set_number(graft_engine_options_set_expert_parallel, ranks)
    }

    /// Makes this process one rank of several, instead of all ranks living here.
    pub fn rank(&mut self, rank: Rank<'_>) -> Result<&mut Self> {
        let (address, size) = (pointer_of(rank.address), size_of(rank.address.len()));
        let timeout = text::milliseconds(Some(rank.timeout));
        // SAFETY: the handle is valid, the text has that size; &mut keeps others out.
        self.done(unsafe {
            graft_engine_options_set_rank(
                self.pointer(),
                rank.rank,
                rank.world,
                address,
                size,
                i64::from(rank.port),
                timeout,
            )
        })
    }

    /// `"kernel"` (default: fused layers), `"auto"` (only split over ranks) or `"none"` (the plain model, op by op).
    pub fn injection(&mut self, injection: &str) -> Result<&mut Self> {
        self.set_text(graft_engine_options_set_injection, injection)
    }

    /// Graph replay: true (default) records the step once and replays it, false runs it each time.
    pub fn graph(&mut self, enabled: bool) -> Result<&mut Self> {
        // SAFETY: the handle is valid; &mut keeps others out.
        self.done(unsafe { graft_engine_options_set_graph(self.pointer(), enabled.into()) })
    }

    /// Kernel threads of the engine, all ranks of this process together; 0 (default) = one per core.
    pub fn threads(&mut self, threads: i64) -> Result<&mut Self> {
        self.set_number(graft_engine_options_set_threads, threads)
    }

    /// Longest sequence, prompt and answer together, in tokens; 0 (default) = the model's own limit.
    pub fn context_limit(&mut self, tokens: i64) -> Result<&mut Self> {
        self.set_number(graft_engine_options_set_context_limit, tokens)
    }

    /// Sequences worked on at the same time; 0 (default) = the engine chooses.
    pub fn max_sequences(&mut self, sequences: i64) -> Result<&mut Self> {
        self.set_number(graft_engine_options_set_max_sequences, sequences)
    }

    /// Requests that may wait; one more makes submit fail with `Busy`. 0 (default) = the engine chooses.
    pub fn max_queue(&mut self, requests: i64) -> Result<&mut Self> {
        self.set_number(graft_engine_options_set_max_queue, requests)
    }

    /// How far a GPU may run ahead of the host, in time of its work: up to a minute, 10 ms by default. Then the host
    /// spends less on each token, but hears of tokens, and the GPU of a new request, up to so much later. Zero = of each
    /// token at once.
    pub fn run_ahead(&mut self, time: Duration) -> Result<&mut Self> {
        self.set_number(graft_engine_options_set_run_ahead_ms, text::milliseconds(Some(time)))
    }

    /// Bytes on each device that the engine may use, weights included; 0 (default) = no limit of its own.
    pub fn memory_limit(&mut self, bytes: i64) -> Result<&mut Self> {
        self.set_number(graft_engine_options_set_memory_limit, bytes)
    }

    /// Mapped or copied weights.
    pub fn weights(&mut self, weights: Weights) -> Result<&mut Self> {
        let number = match weights {
            Weights::Map => GRAFT_WEIGHTS_MAP,
            Weights::Read => GRAFT_WEIGHTS_READ,
        };
        // SAFETY: the handle is valid; &mut keeps others out.
        self.done(unsafe { graft_engine_options_set_weights(self.pointer(), number) })
    }

    /// Where to look for LibTorch before anywhere else. Only the first engine or tokenizer of a process loads it. Empty
    /// (default) = nowhere else.
    pub fn library_directory(&mut self, directory: impl AsRef<Path>) -> Result<&mut Self> {
        self.set_text(graft_engine_options_set_library_directory, path_text(directory.as_ref())?)
    }

    /// Adds a policy, asked before those that Graft knows; may be called several times. It is copied.
    pub fn add_policy(&mut self, policy: &Policy) -> Result<&mut Self> {
        // SAFETY: both handles are valid; a policy never changes, and &mut keeps others from these options.
        self.done(unsafe { graft_engine_options_add_policy(self.pointer(), policy.pointer()) })
    }

    /// Sets many options from a JSON object whose keys are the setters' names, or those of a DeepSpeed-Inference
    /// configuration. A wrong key or value is `InvalidArgument` naming the key, and then nothing is set.
    pub fn json(&mut self, json: &str) -> Result<&mut Self> {
        self.set_text(graft_engine_options_set_json, json)
    }

    fn set_text(
        &mut self,
        set: unsafe extern "C" fn(*mut graft_engine_options, *const c_char, i64) -> i32,
        value: &str,
    ) -> Result<&mut Self> {
        // SAFETY: the handle is valid, the text has that size; &mut keeps others out.
        self.done(unsafe { set(self.pointer(), pointer_of(value), size_of(value.len())) })
    }

    fn set_number(
        &mut self,
        set: unsafe extern "C" fn(*mut graft_engine_options, i64) -> i32,
        value: i64,
    ) -> Result<&mut Self> {
        // SAFETY: the handle is valid; &mut keeps others out.
        self.done(unsafe { set(self.pointer(), value) })
    }

    fn done(&mut self, code: i32) -> Result<&mut Self> {
        check(code).map(|()| self)
    }
}

impl std::fmt::Debug for EngineOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineOptions").finish_non_exhaustive()
    }
}

struct ProgressCall<'a> {
    progress: &'a mut dyn FnMut(f64, &str) -> ControlFlow<()>,
    panic: Option<Box<dyn Any + Send>>,
}

/// The library's callback: no panic leaves it.
unsafe extern "C" fn tell_progress(user: *mut c_void, fraction: f64, what: *const c_char) -> i32 {
    // SAFETY: `user` is the ProgressCall of the open_with_progress that is running on this thread, which does not touch
    // it until the library is done; the library does not call again before this returns.
    let call = unsafe { &mut *user.cast::<ProgressCall<'_>>() };
    if call.panic.is_some() {
        return 1;
    }
    // SAFETY: NUL-terminated and valid for the call.
    let what = unsafe { text::borrowed(what) };
    match catch_unwind(AssertUnwindSafe(|| (call.progress)(fraction, what))) {
        Ok(ControlFlow::Continue(())) => 0,
        Ok(ControlFlow::Break(())) => 1,
        Err(panic) => {
            call.panic = Some(panic);
            1
        }
    }
}
