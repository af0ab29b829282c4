//! Hugging Face transformers inside the process: a safe layer over libgraft.
//!
//! ```
//! # fn main() -> graft::Result<()> {
//! # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../examples/model");
//! use graft::{Engine, Input, RequestOptions};
//!
//! let engine = Engine::open(path)?;
//! let mut options = RequestOptions::new()?;
//! options.greedy(true)?.max_tokens(16)?;
//! let input = Input::from_chat(r#"[{"role": "user", "content": "What is 27 + 58?"}]"#)?;
//! for event in engine.submit(&input, Some(&options))? {
//!     print!("{}", event?.text);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Rules that hold everywhere
//!
//! - Dropping an object frees it and never blocks; objects may be dropped in any order, on any thread, for each keeps
//!   alive what it needs. Dropping a [`Request`] cancels it.
//! - A failure is an [`Error`]: a [`Status`] and the library's own text, which names the file, key or argument.
//! - `Send` and `Sync` are what the C headers promise: any number of threads may use one [`Engine`], [`Tokenizer`],
//!   [`Queue`], [`Tensor`], [`Policy`], [`Profile`]; what is being set up or refilled belongs to one thread at a time.
//! - A panic in a callback never crosses the library: that of a progress callback goes on in the call that ran it, that
//!   of a log callback is dropped.
//! - Waits take `Option<Duration>`: `None` is for ever. They are rounded up to milliseconds.
//! - [`Status::VersionMismatch`] comes from the first object made when the loaded library has another ABI version.
//!
//! # Features
//!
//! `stream`: answers as a `futures_core::Stream` (module `stream`), for any executor.
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod engine;
mod engine_options;
mod event;
mod handle;
mod input;
mod library;
pub mod log;
mod policy;
mod profile;
mod queue;
mod request;
mod request_options;
mod status;
#[cfg(feature = "stream")]
pub mod stream;
mod tensor;
mod text;
mod tokenizer;

pub use engine::Engine;
pub use engine_options::{EngineOptions, Rank, Weights};
pub use event::{Event, EventBuffer, EventKind, FinishReason, TopLogprob, Usage};
pub use input::Input;
pub use library::{abi_version, doctor, version};
pub use policy::Policy;
pub use profile::Profile;
pub use queue::Queue;
pub use request::{Canceller, Pull, Request};
pub use request_options::{Pooling, RequestKind, RequestOptions};
pub use status::{Error, Result, Status};
pub use tensor::{DType, Element, Tensor};
pub use tokenizer::{Decoder, Tokenizer};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// What the compiler refuses: the promises of the headers about threads and lifetimes.
///
/// ```compile_fail,E0502
/// fn two(request: &mut graft::Request, event: &mut graft::EventBuffer) {
///     let text = event.text();
///     request.pull(event);
///     println!("{text}"); // borrowed from an event that was refilled
/// }
/// ```
///
/// ```compile_fail,E0277
/// fn sync<T: Sync>() {}
/// sync::<graft::Request>(); // pulled by one thread at a time
/// ```
///
/// ```compile_fail,E0277
/// fn sync<T: Sync>() {}
/// sync::<graft::EngineOptions>();
/// ```
///
/// ```compile_fail,E0382
/// let queue = graft::Queue::new().unwrap();
/// drop(queue);
/// queue.wake(); // used after its end
/// ```
#[cfg(doctest)]
struct Refused;
