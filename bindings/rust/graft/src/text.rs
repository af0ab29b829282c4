//! Text and time over the border: pointers with sizes, owned strings, milliseconds.
use std::ffi::{CStr, c_char};
use std::path::Path;
use std::time::Duration;

use crate::handle::Handle;
use crate::status::{Error, Result, Status, check};

/// What is whole UTF-8 of these bytes: all of them, for the library promises it, and never anything unsound.
pub(crate) fn whole(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
    }
}

/// # Safety
/// `pointer` is NULL or NUL-terminated and valid for `'a`.
pub(crate) unsafe fn borrowed<'a>(pointer: *const c_char) -> &'a str {
    if pointer.is_null() {
        return "";
    }
    // SAFETY: as the caller promises.
    whole(unsafe { CStr::from_ptr(pointer) }.to_bytes())
}

/// # Safety
/// `pointer` is NULL or NUL-terminated and valid for the life of the process.
pub(crate) unsafe fn static_text(pointer: *const c_char) -> &'static str {
    // SAFETY: as the caller promises.
    unsafe { borrowed(pointer) }
}

/// # Safety
/// `pointer` is NULL or has `size` elements that are valid for `'a`.
pub(crate) unsafe fn slice<'a, T>(pointer: *const T, size: i64) -> &'a [T] {
    match usize::try_from(size) {
        // SAFETY: as the caller promises.
        Ok(size) if size > 0 && !pointer.is_null() => unsafe { std::slice::from_raw_parts(pointer, size) },
        _ => &[],
    }
}

/// The text that a call makes: `make` gets the place for its graft_string and returns the status.
pub(crate) fn made(make: impl FnOnce(*mut *mut graft_sys::graft_string) -> i32) -> Result<String> {
    let string = Handle::made(make)?;
    // SAFETY: the string is ours and never changes; what is borrowed is copied before it is freed.
    let bytes = unsafe {
        slice(
            graft_sys::graft_string_data(string.pointer()).cast::<u8>(),
            graft_sys::graft_string_size(string.pointer()),
        )
    };
    Ok(whole(bytes).to_owned())
}

/// Pointer and size of a text or a slice.
pub(crate) fn size_of(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX) // no slice has more than isize::MAX elements
}

pub(crate) fn pointer_of(text: &str) -> *const c_char {
    text.as_ptr().cast()
}

/// A path as UTF-8.
pub(crate) fn path_text(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| {
        Error::new(Status::InvalidArgument, format!("path: {} is not valid UTF-8", path.to_string_lossy()))
    })
}

/// Milliseconds, rounded up; -1 for ever.
pub(crate) fn milliseconds(timeout: Option<Duration>) -> i64 {
    timeout.map_or(-1, |time| i64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(i64::MAX))
}

/// Whether a wait came to its end; false when the time was over first.
pub(crate) fn waited(code: i32) -> Result<bool> {
    if code == graft_sys::GRAFT_STATUS_TIMEOUT { Ok(false) } else { check(code).map(|()| true) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded_up() {
        let of = |nanoseconds| milliseconds(Some(Duration::from_nanos(nanoseconds)));
        assert_eq!([of(0), of(1), of(1_000_000), of(1_000_001)], [0, 1, 1, 2]);
        assert_eq!((milliseconds(None), milliseconds(Some(Duration::MAX))), (-1, i64::MAX));
    }

    #[test]
    fn what_is_no_text_is_cut() {
        assert_eq!(whole(b"a\xC3"), "a");
        assert_eq!(whole("\u{1F600}\0".as_bytes()), "\u{1F600}\0");
    }
}
