//! What a request is about.
use graft_sys::*;

use crate::Tensor;
use crate::handle::Handle;
use crate::status::{Result, check};
use crate::text::{pointer_of, size_of};

/// Text, or token ids, or a conversation, and what else the model takes in. `Send`, not `Sync`: fill it on one thread,
/// then submit it any number of times; submitting copies it.
///
/// Exactly one of text, tokens and chat must be set when it is submitted; setting one again replaces it. Setters fail with
/// `InvalidArgument` or `OutOfMemory`. What release or model do not take in makes submit fail with `Unsupported`.
pub struct Input {
    raw: Handle<graft_input>,
}

// SAFETY: input.h: "Send, not Sync".
unsafe impl Send for Input {}

impl Input {
    /// An empty input.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub fn new() -> Result<Self> {
        // SAFETY: the place is valid for the call.
        Ok(Self { raw: Handle::made(|out| unsafe { graft_input_new(out) })? })
    }

    /// An input of a text.
    ///
    /// # Errors
    /// As the setters.
    pub fn from_text(text: &str) -> Result<Self> {
        let mut input = Self::new()?;
        input.text(text)?;
        Ok(input)
    }

    /// An input of token ids.
    ///
    /// # Errors
    /// As the setters.
    pub fn from_tokens(tokens: &[i64]) -> Result<Self> {
        let mut input = Self::new()?;
        input.tokens(tokens)?;
        Ok(input)
    }

    /// An input of a conversation.
    ///
    /// # Errors
    /// As the setters; what the messages are is looked at when it is submitted.
    pub fn from_chat(messages: &str) -> Result<Self> {
        let mut input = Self::new()?;
        input.chat(messages)?;
        Ok(input)
    }

    /// A text; the model's tokenizer encodes it, with the special tokens the model expects.
    pub fn text(&mut self, text: &str) -> Result<&mut Self> {
        // SAFETY: the handle is valid, the text has that size; &mut keeps others out.
        self.done(unsafe { graft_input_set_text(self.pointer(), pointer_of(text), size_of(text.len())) })
    }

    /// Token ids as they are, each at least 0; nothing is added.
    pub fn tokens(&mut self, tokens: &[i64]) -> Result<&mut Self> {
        // SAFETY: the handle is valid, the slice has that size; &mut keeps others out.
        self.done(unsafe { graft_input_set_tokens(self.pointer(), tokens.as_ptr(), size_of(tokens.len())) })
    }

    /// A conversation: a JSON array of `{"role": ..., "content": ...}`, written out with the model's chat template, with
    /// the start of the model's answer.
    pub fn chat(&mut self, messages: &str) -> Result<&mut Self> {
        // SAFETY: the handle is valid, the text has that size; &mut keeps others out.
        self.done(unsafe { graft_input_set_chat(self.pointer(), pointer_of(messages), size_of(messages.len())) })
    }

    /// Encoder-decoder models: ids that the decoder starts from. None = the model's start token.
    pub fn decoder_tokens(&mut self, tokens: &[i64]) -> Result<&mut Self> {
        // SAFETY: the handle is valid, the slice has that size; &mut keeps others out.
        self.done(unsafe { graft_input_set_decoder_tokens(self.pointer(), tokens.as_ptr(), size_of(tokens.len())) })
    }

    /// Models with segments: the segment of each token. None = all in the first.
    pub fn token_types(&mut self, types: &[i64]) -> Result<&mut Self> {
        // SAFETY: the handle is valid, the slice has that size; &mut keeps others out.
        self.done(unsafe { graft_input_set_token_types(self.pointer(), types.as_ptr(), size_of(types.len())) })
    }

    /// A named tensor that the model takes in, for example `"pixel_values"`; the same name replaces it, `None` removes
    /// it. Its storage is kept by reference.
    pub fn tensor(&mut self, name: &str, tensor: Option<&Tensor>) -> Result<&mut Self> {
        let tensor = tensor.map_or(std::ptr::null(), Tensor::pointer);
        // SAFETY: the handles are valid or NULL, the text has that size; a tensor never changes, &mut keeps others out.
        self.done(unsafe { graft_input_set_tensor(self.pointer(), pointer_of(name), size_of(name.len()), tensor) })
    }

    pub(crate) fn pointer(&self) -> *mut graft_input {
        self.raw.pointer()
    }

    fn done(&mut self, code: i32) -> Result<&mut Self> {
        check(code).map(|()| self)
    }
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Input").finish_non_exhaustive()
    }
}
