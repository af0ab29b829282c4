//! The C ABI of libgraft as declarations, made from SWIG's parse tree of the headers. Each item names its header, which
//! states arguments, errors, ownership and thread rule. The safe crate `graft` stands on this one.
#![no_std]
#![deny(missing_docs)]
#![allow(non_camel_case_types)]

#[rustfmt::skip]
mod generated;
pub use generated::*;
