//! Text to token ids and back.
use std::path::Path;

use graft_sys::*;

use crate::handle::Handle;
use crate::status::{Result, check};
use crate::text::{self, path_text, pointer_of, size_of};

/// Text to token ids and back. `Send` and `Sync`. It needs no weights and no engine.
pub struct Tokenizer {
    raw: Handle<graft_tokenizer>,
}

// SAFETY: tokenizer.h: "Send and Sync".
unsafe impl Send for Tokenizer {}
// SAFETY: as above.
unsafe impl Sync for Tokenizer {}

impl Tokenizer {
    pub(crate) fn new(raw: Handle<graft_tokenizer>) -> Self {
        Self { raw }
    }

    /// Opens the tokenizer of a model directory, or a tokenizer.json; loads no weights.
    ///
    /// ```
    /// # fn main() -> graft::Result<()> {
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../examples/model");
    /// let tokenizer = graft::Tokenizer::open(path)?;
    /// let ids = tokenizer.encode("gr\u{fc}n \u{1f331}", false)?;
    /// assert_eq!(tokenizer.decode(&ids, false)?, "gr\u{fc}n \u{1f331}");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `NotFound`, `CorruptData`, `Unsupported`, `IoError`, `VersionMismatch`; `InvalidArgument` (a path that is not
    /// UTF-8).
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path_text(path.as_ref())?;
        // SAFETY: the text has that size, the place is valid for the call.
        Handle::made(|out| unsafe { graft_tokenizer_open(pointer_of(path), size_of(path.len()), out) }).map(Self::new)
    }

    /// Text to ids. `add_special` adds what the model expects around a text.
    ///
    /// # Errors
    /// `LimitExceeded`: the text is too long.
    pub fn encode(&self, text: &str, add_special: bool) -> Result<Vec<i64>> {
        let mut tokens = Vec::new();
        self.encode_into(text, add_special, &mut tokens)?;
        Ok(tokens)
    }

    /// The same into a vector whose memory is used again; what it held is replaced.
    ///
    /// # Errors
    /// `LimitExceeded`: the text is too long; the vector is then empty.
    pub fn encode_into(&self, text: &str, add_special: bool, tokens: &mut Vec<i64>) -> Result<()> {
        tokens.clear();
        tokens.reserve(text.len() / 2 + 16); // a guess that one call mostly does with
        loop {
            let mut count = 0;
            // SAFETY: text and buffer have those sizes; the handle is valid, any thread may call.
            let code = unsafe {
                graft_tokenizer_encode(
                    self.pointer(),
                    pointer_of(text),
                    size_of(text.len()),
                    add_special.into(),
                    tokens.as_mut_ptr(),
                    size_of(tokens.capacity()),
                    &mut count,
                )
            };
            let count = usize::try_from(count).unwrap_or(0);
            if code == GRAFT_STATUS_BUFFER_TOO_SMALL && count > tokens.capacity() {
                tokens.reserve(count);
                continue;
            }
            check(code)?;
            // SAFETY: OK says that `count` ids, not more than the capacity, were written.
            unsafe { tokens.set_len(count.min(tokens.capacity())) };
            return Ok(());
        }
    }

    /// Ids to text. `skip_special` leaves special tokens out.
    ///
    /// # Errors
    /// `InvalidArgument`: an id outside the vocabulary.
    pub fn decode(&self, tokens: &[i64], skip_special: bool) -> Result<String> {
        let (ids, count) = (tokens.as_ptr(), size_of(tokens.len()));
        // SAFETY: the slice has that size; the handle is valid, any thread may call; the place is valid.
        text::made(|out| unsafe { graft_tokenizer_decode(self.pointer(), ids, count, skip_special.into(), out) })
    }

    /// The vocabulary entry of one id, as the vocabulary spells it (it need not be readable text).
    ///
    /// # Errors
    /// `NotFound` or `InvalidArgument`: no such id.
    pub fn piece(&self, token: i64) -> Result<String> {
        // SAFETY: the handle is valid, any thread may call; the place is valid.
        text::made(|out| unsafe { graft_tokenizer_piece(self.pointer(), token, out) })
    }

    /// The id of a vocabulary entry.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn id_of(&self, piece: &str) -> Result<i64> {
        let mut token = -1;
        // SAFETY: the text has that size; the handle is valid, any thread may call; the place is valid.
        check(unsafe { graft_tokenizer_id_of(self.pointer(), pointer_of(piece), size_of(piece.len()), &mut token) })?;
        Ok(token)
    }

    /// Number of ids, special tokens included.
    pub fn vocab_size(&self) -> i64 {
        // SAFETY: the handle is valid, any thread may call.
        unsafe { graft_tokenizer_vocab_size(self.pointer()) }
    }

    /// Writes a conversation (a JSON array of `{"role": ..., "content": ...}`) as the text the model was trained on. The
    /// text holds the special tokens: encode it with `add_special` false. `options` is a JSON object:
    /// `add_generation_prompt`, `tools`, ... as in Transformers; any other key is a variable of the template.
    ///
    /// # Errors
    /// `Unsupported` (the model has no template), `InvalidArgument` (not such JSON, or the template refused),
    /// `CorruptData` (the template is broken), `LimitExceeded`.
    pub fn apply_chat_template(&self, messages: &str, options: Option<&str>) -> Result<String> {
        let options = options.unwrap_or_default();
        // SAFETY: the texts have those sizes; the handle is valid, any thread may call; the place is valid.
        text::made(|out| unsafe {
            graft_tokenizer_apply_chat_template(
                self.pointer(),
                pointer_of(messages),
                size_of(messages.len()),
                pointer_of(options),
                size_of(options.len()),
                out,
            )
        })
    }

    /// A decoder for one stream of ids. It keeps the tokenizer alive.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub fn decoder(&self, skip_special: bool) -> Result<Decoder> {
        // SAFETY: the handle is valid, any thread may call; the place is valid.
        Handle::made(|out| unsafe { graft_decoder_new(self.pointer(), skip_special.into(), out) })
            .map(|raw| Decoder { raw })
    }

    fn pointer(&self) -> *mut graft_tokenizer {
        self.raw.pointer()
    }
}

impl std::fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokenizer").field("vocab_size", &self.vocab_size()).finish_non_exhaustive()
    }
}

/// Turns a stream of ids into whole characters. `Send`, not `Sync`.
pub struct Decoder {
    raw: Handle<graft_decoder>,
}

// SAFETY: tokenizer.h: "Send, not Sync".
unsafe impl Send for Decoder {}

impl Decoder {
    /// Feeds one id and gives the characters that became complete with it, often none.
    ///
    /// # Errors
    /// `InvalidArgument`: an id outside the vocabulary.
    pub fn push(&mut self, token: i64) -> Result<String> {
        // SAFETY: the handle is valid, &mut keeps others out; the place is valid.
        text::made(|out| unsafe { graft_decoder_push(self.raw.pointer(), token, out) })
    }

    /// Ends the stream and gives what is left.
    ///
    /// # Errors
    /// None expected.
    pub fn finish(mut self) -> Result<String> {
        self.push(-1)
    }
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder").finish_non_exhaustive()
    }
}
