//! Entry point of chat templates.

use super::{entry, exclusive, text, Bytes};
use crate::chat;

#[no_mangle]
pub unsafe extern "C" fn graft_text_render_chat(
    setup: *const u8,
    setup_size: i64,
    messages: *const u8,
    messages_size: i64,
    options: *const u8,
    options_size: i64,
    out: *mut Bytes,
    error: *mut Bytes,
) -> i32 {
    entry(error, || {
        let out = exclusive(out, "out")?;
        let setup = text(setup, setup_size, "setup")?;
        let messages = text(messages, messages_size, "messages")?;
        let options = text(options, options_size, "options")?;
        *out = Bytes::new(chat::render(setup, messages, options)?.into_bytes());
        Ok(())
    })
}
