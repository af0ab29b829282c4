//! What a file or a call may ask for. Rust ends the process when an allocation fails, so sizes are bounded, and the
//! memory of large calls is asked for, beforehand.

use crate::failure::{Failure, Result, Status};

/// Bytes of a tokenizer.json.
pub const FILE_BYTES: usize = 256 << 20;
/// Bytes of one text to encode.
pub const TEXT_BYTES: usize = 64 << 20;
/// Bytes that a text may grow to in the normalisers, and an encoding in the post-processor (as copies of its text).
pub const NORMALIZED_BYTES: usize = 256 << 20;
/// Ids of one decode call.
pub const DECODE_IDS: usize = 64 << 20;
/// Bytes of all tokens of one decode call, or held back by one stream.
pub const DECODE_BYTES: usize = 256 << 20;
/// Bytes of one string in tokenizer.json (but the compiled character map, which is one long string).
pub const STRING_BYTES: usize = 64 << 10;
/// Bytes of one piece of a Unigram model: its prefix tree is freed by recursion, on whatever thread frees the
/// tokenizer.
pub const UNIGRAM_PIECE_BYTES: usize = 1 << 10;
/// Characters of a word that WordPiece searches, in quadratic time (the models that exist say 100 or 200).
pub const WORDPIECE_CHARS: usize = 4096;
/// Stack of the thread that opens a tokenizer: the parsers of JSON and of patterns recurse, and a host's thread may be
/// small.
pub const OPEN_STACK_BYTES: usize = 128 << 20;

/// Memory that a call needs for each byte of tokenizer.json, byte of text (measured: 40 to 205), byte that the
/// normalisers make, and id to decode.
pub const MEMORY_PER_FILE_BYTE: usize = 20;
pub const MEMORY_PER_TEXT_BYTE: usize = 200;
pub const MEMORY_PER_NORMALIZED_BYTE: usize = 64;
pub const MEMORY_PER_ID: usize = 200;

/// Calls below this are not worth a question.
const SMALL_CALL_BYTES: usize = 64 << 20;

/// Refuses what the system would not give (an address space limit, no overcommit). It cannot promise more: memory that
/// is there now may be gone later.
pub fn ensure_memory(items: usize, bytes_each: usize) -> Result<()> {
    let bytes = items.saturating_mul(bytes_each);
    if bytes < SMALL_CALL_BYTES || Vec::<u8>::new().try_reserve_exact(bytes).is_ok() {
        return Ok(());
    }
    Err(Failure::new(Status::OutOfMemory, format!("this needs about {} MiB of memory", bytes >> 20)))
}
