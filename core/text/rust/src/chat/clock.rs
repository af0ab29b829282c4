//! `strftime_now`: the local time in the notation of the C library, which is Python's too.

use std::ffi::CString;

use minijinja::Error;

use super::python::invalid;

const FORMAT_BYTES: usize = 1 << 10;

pub fn strftime_now(format: &str) -> Result<String, Error> {
    if format.len() > FORMAT_BYTES {
        return Err(invalid(format!("strftime_now: a format of more than {FORMAT_BYTES} bytes")));
    }
    if wide(format) {
        return Err(invalid("strftime_now: a field with a width"));
    }
    // A mark at the end tells an empty result from a buffer that is too small.
    let format = CString::new(format!("{format}|")).map_err(|_| invalid("strftime_now: a format with a zero byte"))?;
    let mut text = vec![0u8; 64 * FORMAT_BYTES];
    // Safety: the format ends with a zero byte, the buffer is as long as it says, and tm is plain data.
    let written = unsafe {
        let now = libc::time(std::ptr::null_mut());
        let mut local: libc::tm = std::mem::zeroed();
        if libc::localtime_r(&now, &mut local).is_null() {
            return Err(invalid("strftime_now: the local time is not known"));
        }
        libc::strftime(text.as_mut_ptr().cast(), text.len(), format.as_ptr(), &local)
    };
    if written == 0 {
        return Err(invalid("strftime_now: the result is too long"));
    }
    text.truncate(written - 1);
    String::from_utf8(text).map_err(|_| invalid("strftime_now: the result is not UTF-8"))
}

/// The C library takes `%1000000d`.
fn wide(format: &str) -> bool {
    let mut parts = format.split('%').skip(1);
    parts.any(|part| part.starts_with(|c: char| c.is_ascii_digit()))
}
