//! Entry points of the streaming decoder. A handle is a leaked `Box<Stream>`.

use std::ptr;

use super::tokenizer::Handle;
use super::{entry, exclusive, shared, Bytes, View};
use crate::guard;
use crate::stream::Stream;

impl View {
    fn new(text: &str) -> View {
        View { data: if text.is_empty() { ptr::null() } else { text.as_ptr() }, size: text.len() as i64 }
    }
}

#[no_mangle]
pub unsafe extern "C" fn graft_text_stream_new(
    tokenizer: *const Handle,
    skip_special: i32,
    out: *mut *mut Stream,
    error: *mut Bytes,
) -> i32 {
    entry(error, || {
        let out = exclusive(out, "out")?;
        let tokenizer = shared(tokenizer, "tokenizer")?.0.clone();
        *out = Box::into_raw(Box::new(Stream::new(tokenizer, skip_special != 0)));
        Ok(())
    })
}

#[no_mangle]
pub unsafe extern "C" fn graft_text_stream_push(
    stream: *mut Stream,
    id: u32,
    out: *mut View,
    error: *mut Bytes,
) -> i32 {
    entry(error, || {
        let out = exclusive(out, "out")?;
        *out = View::new(exclusive(stream, "stream")?.push(id)?);
        Ok(())
    })
}

#[no_mangle]
pub unsafe extern "C" fn graft_text_stream_flush(stream: *mut Stream, out: *mut View, error: *mut Bytes) -> i32 {
    entry(error, || {
        let out = exclusive(out, "out")?;
        *out = View::new(exclusive(stream, "stream")?.flush()?);
        Ok(())
    })
}

#[no_mangle]
pub unsafe extern "C" fn graft_text_stream_free(stream: *mut Stream) {
    let _ = guard::run(|| {
        if !stream.is_null() {
            drop(Box::from_raw(stream));
        }
        Ok(())
    });
}
