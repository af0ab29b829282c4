//! The C interface: pointers in, status out. Types and rules are in core/text/text_ffi.h.

mod chat;
mod stream;
mod tokenizer;

use std::ptr;

use crate::failure::{Failure, Result, Status};
use crate::guard;

#[repr(C)]
pub struct Bytes {
    data: *mut u8,
    size: i64,
}

#[repr(C)]
pub struct Ids {
    data: *mut u32,
    size: i64,
}

#[repr(C)]
pub struct View {
    data: *const u8,
    size: i64,
}

/// Gives a boxed slice to the caller; an empty one is a null pointer.
fn leak<T>(items: Vec<T>) -> (*mut T, i64) {
    if items.is_empty() {
        return (ptr::null_mut(), 0);
    }
    let items = Box::leak(items.into_boxed_slice());
    (items.as_mut_ptr(), items.len() as i64)
}

/// Takes back what `leak` gave. Safety: the pair comes from `leak` and is given back once.
unsafe fn reclaim<T>(data: *mut T, size: i64) {
    if !data.is_null() && size > 0 {
        drop(Box::from_raw(ptr::slice_from_raw_parts_mut(data, size as usize)));
    }
}

impl Bytes {
    fn new(bytes: Vec<u8>) -> Bytes {
        let (data, size) = leak(bytes);
        Bytes { data, size }
    }
}

impl Ids {
    fn new(ids: Vec<u32>) -> Ids {
        let (data, size) = leak(ids);
        Ids { data, size }
    }
}

/// Runs the body of an entry point, panics included, and gives its status.
fn entry(error: *mut Bytes, body: impl FnOnce() -> Result<()>) -> i32 {
    let Err(failure) = guard::run(body) else { return 0 };
    if !error.is_null() {
        // Messages may quote the file; what is not UTF-8 in them is replaced.
        let message = String::from_utf8_lossy(failure.message.as_bytes()).into_owned();
        unsafe { error.write(Bytes::new(message.into_bytes())) };
    }
    failure.status as i32
}

fn invalid(message: impl Into<String>) -> Failure {
    Failure::new(Status::InvalidArgument, message)
}

/// Safety: `data` points to `size` items that live and do not change during the call.
unsafe fn slice<'a, T>(data: *const T, size: i64, name: &str) -> Result<&'a [T]> {
    let size = usize::try_from(size).map_err(|_| invalid(format!("{name}: negative size {size}")))?;
    match (data.is_null(), size) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(invalid(format!("{name}: null with size {size}"))),
        (false, _) => Ok(std::slice::from_raw_parts(data, size)),
    }
}

/// Safety: as `slice`.
unsafe fn text<'a>(data: *const u8, size: i64, name: &str) -> Result<&'a str> {
    std::str::from_utf8(slice(data, size, name)?)
        .map_err(|e| invalid(format!("{name}: not valid UTF-8 at byte {}", e.valid_up_to())))
}

/// Safety: `pointer` is null or points to a live T that no one changes meanwhile.
unsafe fn shared<'a, T>(pointer: *const T, name: &str) -> Result<&'a T> {
    pointer.as_ref().ok_or_else(|| invalid(format!("{name} is null")))
}

/// Safety: `pointer` is null or points to a live T that only this call uses.
unsafe fn exclusive<'a, T>(pointer: *mut T, name: &str) -> Result<&'a mut T> {
    pointer.as_mut().ok_or_else(|| invalid(format!("{name} is null")))
}

#[no_mangle]
pub unsafe extern "C" fn graft_text_bytes_free(bytes: Bytes) {
    reclaim(bytes.data, bytes.size);
}

#[no_mangle]
pub unsafe extern "C" fn graft_text_ids_free(ids: Ids) {
    reclaim(ids.data, ids.size);
}
