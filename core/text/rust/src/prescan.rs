//! A look at tokenizer.json before it is parsed, for what parsing itself would not survive.

use crate::failure::{Failure, Result, Status};
use crate::limits::STRING_BYTES;

/// The value of this key is one long string by design (T5, XLM-R: several hundred KiB).
const LONG_STRING_KEY: &[u8] = b"precompiled_charsmap";

/// Refuses strings over the limit: a model builds a prefix tree as deep as its longest token and frees it by recursion.
pub fn check_strings(json: &[u8]) -> Result<()> {
    let mut previous: &[u8] = b"";
    let mut at = 0;
    while let Some(open) = find_quote(json, at) {
        let start = open + 1;
        let end = match find_end(json, start) {
            Some(end) => end,
            None => return Ok(()), // unfinished: the parser says so with line and column
        };
        let string = &json[start..end];
        if string.len() > STRING_BYTES && previous != LONG_STRING_KEY {
            return Err(Failure::new(
                Status::CorruptData,
                format!("a string of {} bytes at byte {start}, at most {STRING_BYTES} are possible", string.len()),
            ));
        }
        previous = string;
        at = end + 1;
    }
    Ok(())
}

fn find_quote(json: &[u8], from: usize) -> Option<usize> {
    json[from..].iter().position(|&byte| byte == b'"').map(|offset| from + offset)
}

fn find_end(json: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    while at < json.len() {
        match json[at] {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    None
}
