//! Tokenizers and chat templates behind the C interface of `core/text/text_ffi.h`.
//!
//! `ffi` is the only module with `extern "C"` functions; each runs inside `guard::run`, so that no panic leaves the
//! library.

mod budget;
mod chat;
mod failure;
mod ffi;
mod guard;
mod limits;
mod prescan;
mod stages;
mod stream;
mod tokenizer;
mod uncached;
