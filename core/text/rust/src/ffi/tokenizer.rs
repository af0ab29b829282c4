//! Entry points of the tokenizer. A handle is a leaked `Box<Handle>`.

use std::sync::Arc;

use super::{entry, exclusive, shared, slice, text, Bytes, Ids};
use crate::failure::{Failure, Status};
use crate::guard;
use crate::tokenizer::Tokenizer;

pub struct Handle(pub Arc<Tokenizer>);

#[no_mangle]
pub unsafe extern "C" fn graft_text_open(json: *const u8, size: i64, out: *mut *mut Handle, error: *mut Bytes) -> i32 {
    entry(error, || {
        let out = exclusive(out, "out")?;
        let tokenizer = Tokenizer::open(slice(json, size, "json")?)?;
        *out = Box::into_raw(Box::new(Handle(tokenizer)));
        Ok(())
    })
}

#[no_mangle]
pub unsafe extern "C" fn graft_text_free(tokenizer: *mut Handle) {
    let _ = guard::run(|| {
        if !tokenizer.is_null() {
            drop(Box::from_raw(tokenizer));
        }
        Ok(())
    });
}

#[no_mangle]
pub unsafe extern "C" fn graft_text_vocab_size(tokenizer: *const Handle) -> i64 {
    tokenizer.as_ref().map_or(0, |handle| handle.0.vocab_size as i64)
}

#[no_mangle]
pub unsafe extern "C" fn graft_text_id_bound(tokenizer: *const Handle) -> i64 {
    tokenizer.as_ref().map_or(0, |handle| handle.0.id_bound as i64)
}

#[no_mangle]
pub unsafe extern "C" fn graft_text_encode(
    tokenizer: *const Handle,
    data: *const u8,
    size: i64,
    add_special: i32,
    max_tokens: i64,
    out: *mut Ids,
    error: *mut Bytes,
) -> i32 {
    entry(error, || {
        let out = exclusive(out, "out")?;
        let max_tokens = usize::try_from(max_tokens).map_err(|_| {
            Failure::new(Status::InvalidArgument, format!("max_tokens is {max_tokens}, expected 0 or more"))
        })?;
        let text = text(data, size, "text")?;
        let ids = shared(tokenizer, "tokenizer")?.0.encode(text, add_special != 0, max_tokens)?;
        *out = Ids::new(ids);
        Ok(())
    })
}

#[no_mangle]
pub unsafe extern "C" fn graft_text_decode(
    tokenizer: *const Handle,
    ids: *const u32,
    count: i64,
    skip_special: i32,
    out: *mut Bytes,
    error: *mut Bytes,
) -> i32 {
    entry(error, || {
        let out = exclusive(out, "out")?;
        let text = shared(tokenizer, "tokenizer")?.0.decode(slice(ids, count, "ids")?, skip_special != 0)?;
        *out = Bytes::new(text.into_bytes());
        Ok(())
    })
}

#[no_mangle]
pub unsafe extern "C" fn graft_text_piece(
    tokenizer: *const Handle,
    id: u32,
    out: *mut Bytes,
    error: *mut Bytes,
) -> i32 {
    entry(error, || {
        let out = exclusive(out, "out")?;
        let token = shared(tokenizer, "tokenizer")?.0.token(id, false);
        let token = token.ok_or_else(|| Failure::new(Status::NotFound, format!("token id {id} has no token")))?;
        *out = Bytes::new(token.into_bytes());
        Ok(())
    })
}

#[no_mangle]
pub unsafe extern "C" fn graft_text_id_of(
    tokenizer: *const Handle,
    piece: *const u8,
    size: i64,
    out: *mut u32,
    error: *mut Bytes,
) -> i32 {
    entry(error, || {
        let out = exclusive(out, "out")?;
        let piece = text(piece, size, "piece")?;
        let id = shared(tokenizer, "tokenizer")?.0.id_of(piece);
        *out = id.ok_or_else(|| Failure::new(Status::NotFound, format!("no token '{piece}' in the vocabulary")))?;
        Ok(())
    })
}
