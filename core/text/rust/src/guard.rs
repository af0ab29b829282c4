//! Turns panics into failures.

use std::cell::RefCell;
use std::panic::{catch_unwind, set_hook, AssertUnwindSafe, PanicHookInfo};
use std::sync::Once;

use crate::failure::{Failure, Result, Status};

thread_local! {
    static LAST_PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps the text of a panic instead of printing it: a library does not write to its host's stderr. The hook belongs to
/// this library's own copy of std, so a host written in Rust keeps its own.
fn keep_message(info: &PanicHookInfo<'_>) {
    let text = payload_text(info);
    let place = info.location().map(|l| format!(" ({}:{})", l.file(), l.line())).unwrap_or_default();
    let _ = LAST_PANIC.try_with(|last| {
        if let Ok(mut last) = last.try_borrow_mut() {
            *last = format!("{text}{place}");
        }
    });
}

fn payload_text<'a>(info: &'a PanicHookInfo<'_>) -> &'a str {
    let payload = info.payload();
    if let Some(text) = payload.downcast_ref::<&str>() {
        text
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else {
        "panic"
    }
}

/// Runs `body`; a panic becomes an INTERNAL failure with the text of the panic.
pub fn run<T>(body: impl FnOnce() -> Result<T>) -> Result<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| set_hook(Box::new(keep_message)));
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(result) => result,
        Err(_) => {
            let text = LAST_PANIC.try_with(|last| last.take()).unwrap_or_default();
            Err(Failure::new(Status::Internal, format!("tokenizer code failed: {text}")))
        }
    }
}
