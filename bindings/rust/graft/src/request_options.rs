//! What a request wants, and how tokens are chosen.
use std::ffi::c_char;
use std::time::Duration;

use graft_sys::*;

use crate::handle::Handle;
use crate::status::{Error, Result, Status, check};
use crate::text::{self, pointer_of, size_of};

/// What a request yields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RequestKind {
    /// Tokens and text, one event after another.
    #[default]
    Generate,
    /// The tensor `"logits"`, float32 `[tokens, vocabulary or labels]`.
    Logits,
    /// The tensor `"embedding"`, float32 `[hidden]`.
    Embed,
    /// The tensor `"hidden"`, float32 `[tokens, hidden]`.
    Hidden,
}

/// How an embedding is made of the hidden rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Pooling {
    /// As the model's files say; where they say nothing, the mean (the end of the text for CLIP's text model).
    #[default]
    Model,
    /// The mean of the rows.
    Mean,
    /// The first row.
    Cls,
    /// The last row.
    Last,
    /// All rows: `[tokens, hidden]`.
    None,
}

/// What a request wants, and how tokens are chosen; everything has a default: sample from the model's distribution until
/// it ends its answer or the context is full. `Send`, not `Sync`: set them up on one thread, then submit any number of
/// requests with them; each copies them.
///
/// A setter fails with `InvalidArgument` for a value outside the stated range, or `OutOfMemory`; the old value then
/// stands. Every setting can be made; one that release, model or device do not offer makes submit fail with `Unsupported`
/// and a text that names it.
pub struct RequestOptions {
    raw: Handle<graft_request_options>,
}

// SAFETY: request_options.h: "Send, not Sync".
unsafe impl Send for RequestOptions {}

macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident($argument:ident: $type:ty) = $set:ident;)*) => {$(
        $(#[$doc])*
        pub fn $name(&mut self, $argument: $type) -> Result<&mut Self> {
            // SAFETY: the handle is valid; &mut keeps others out.
            self.done(unsafe { $set(self.pointer(), $argument.into()) })
        }
    )*};
}

impl RequestOptions {
    /// Every default.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub fn new() -> Result<Self> {
        // SAFETY: the place is valid for the call.
        Ok(Self { raw: Handle::made(|out| unsafe { graft_request_options_new(out) })? })
    }

    /// What the request yields.
    pub fn kind(&mut self, kind: RequestKind) -> Result<&mut Self> {
        let number = match kind {
            RequestKind::Generate => GRAFT_REQUEST_GENERATE,
            RequestKind::Logits => GRAFT_REQUEST_LOGITS,
            RequestKind::Embed => GRAFT_REQUEST_EMBED,
            RequestKind::Hidden => GRAFT_REQUEST_HIDDEN,
        };
        // SAFETY: the handle is valid; &mut keeps others out.
        self.done(unsafe { graft_request_options_set_kind(self.pointer(), number) })
    }

    /// Pooling of [`RequestKind::Embed`].
    pub fn pooling(&mut self, pooling: Pooling) -> Result<&mut Self> {
        let number = match pooling {
            Pooling::Model => GRAFT_POOLING_MODEL,
            Pooling::Mean => GRAFT_POOLING_MEAN,
            Pooling::Cls => GRAFT_POOLING_CLS,
            Pooling::Last => GRAFT_POOLING_LAST,
            Pooling::None => GRAFT_POOLING_NONE,
        };
        // SAFETY: the handle is valid; &mut keeps others out.
        self.done(unsafe { graft_request_options_set_pooling(self.pointer(), number) })
    }

    setters! {
        /// Most tokens to generate: 0 or more; -1 (default) = as many as the context holds.
        max_tokens(tokens: i64) = graft_request_options_set_max_tokens;
        /// Fewest tokens to generate before the model may end its answer: 0 (default) or more.
        min_tokens(tokens: i64) = graft_request_options_set_min_tokens;
        /// True takes the most likely token each time; penalties, bias and bans still hold. False (default) samples.
        greedy(enabled: bool) = graft_request_options_set_greedy;
        /// Divides the logits: 0 (the same as greedy) or more, finite; 1 by default.
        temperature(temperature: f64) = graft_request_options_set_temperature;
        /// Keeps the k most likely tokens: 1 or more; 0 (default) = all.
        top_k(top_k: i64) = graft_request_options_set_top_k;
        /// Keeps the most likely tokens that together reach this probability: above 0, at most 1 (default = all).
        top_p(top_p: f64) = graft_request_options_set_top_p;
        /// Keeps tokens at least this likely relative to the most likely one: 0 (default = all) to 1.
        min_p(min_p: f64) = graft_request_options_set_min_p;
        /// Keeps the tokens of most typical surprise that reach this probability together: above 0, at most 1 (default).
        typical_p(typical_p: f64) = graft_request_options_set_typical_p;
        /// Seed of the random choices: 0 or more repeats them; -1 (default) = drawn anew.
        seed(seed: i64) = graft_request_options_set_seed;
        /// Divides positive and multiplies negative logits of tokens seen: above 0, finite; 1 (default) = off.
        repetition_penalty(penalty: f64) = graft_request_options_set_repetition_penalty;
        /// Subtracted from a logit once for each time its token was generated: finite; 0 (default) = off.
        frequency_penalty(penalty: f64) = graft_request_options_set_frequency_penalty;
        /// Subtracted from the logit of a token that was generated at all: finite; 0 (default) = off.
        presence_penalty(penalty: f64) = graft_request_options_set_presence_penalty;
        /// How many last tokens the penalties look at: 1 or more; 0 (default) = all.
        penalty_window(tokens: i64) = graft_request_options_set_penalty_window;
        /// No run of this many tokens occurs twice: 1 or more; 0 (default) = off.
        no_repeat_ngram(length: i64) = graft_request_options_set_no_repeat_ngram;
        /// True goes on when the model ends its answer; false (default) stops there.
        ignore_eos(enabled: bool) = graft_request_options_set_ignore_eos;
        /// Beam search over this many beams: 1 (default = none) or more. Answers come when the search has ended, the best
        /// first. Not together with a stop text or `top_logprobs`.
        num_beams(beams: i64) = graft_request_options_set_num_beams;
        /// Answers to give: 1 (default) or more; an event's `sequence` tells them apart. With beams, at most `num_beams`.
        num_sequences(sequences: i64) = graft_request_options_set_num_sequences;
        /// Beam search: exponent of the length by which a score is divided; finite; 1 by default.
        length_penalty(penalty: f64) = graft_request_options_set_length_penalty;
        /// How many of the most likely tokens each event reports: 0 (default) or more.
        top_logprobs(count: i64) = graft_request_options_set_top_logprobs;
        /// Requests of higher priority are started first; any number, 0 by default.
        priority(priority: i64) = graft_request_options_set_priority;
    }

    /// Added to the logits of single tokens: ids of at least 0, and values, not NaN. None (default): nothing.
    pub fn logit_bias(&mut self, bias: &[(i64, f64)]) -> Result<&mut Self> {
        let (tokens, values): (Vec<i64>, Vec<f64>) = bias.iter().copied().unzip();
        let count = size_of(bias.len());
        // SAFETY: the handle is valid, both arrays have `count` entries; &mut keeps others out.
        self.done(unsafe {
            graft_request_options_set_logit_bias(self.pointer(), tokens.as_ptr(), values.as_ptr(), count)
        })
    }

    /// Only these tokens may be chosen: ids, each at least 0. None (default) = all may.
    pub fn allowed_tokens(&mut self, tokens: &[i64]) -> Result<&mut Self> {
        self.set_tokens(graft_request_options_set_allowed_tokens, tokens)
    }

    /// These tokens are never chosen: ids, each at least 0.
    pub fn banned_tokens(&mut self, tokens: &[i64]) -> Result<&mut Self> {
        self.set_tokens(graft_request_options_set_banned_tokens, tokens)
    }

    /// Ends the answer before this text, wherever it falls between tokens; not empty. May be called several times.
    pub fn add_stop(&mut self, text: &str) -> Result<&mut Self> {
        self.set_text(graft_request_options_add_stop, text)
    }

    /// Ends the answer at any of these tokens, besides the model's own: ids, each at least 0.
    pub fn stop_tokens(&mut self, tokens: &[i64]) -> Result<&mut Self> {
        self.set_tokens(graft_request_options_set_stop_tokens, tokens)
    }

    /// Time from submit after which the request fails with `DeadlineExceeded`; rounded up to milliseconds. `None`
    /// (default) = never. A deadline of zero is `InvalidArgument`.
    pub fn deadline(&mut self, deadline: Option<Duration>) -> Result<&mut Self> {
        if deadline == Some(Duration::ZERO) {
            return Err(Error::new(Status::InvalidArgument, "deadline: found 0, expected None or more than 0"));
        }
        let milliseconds = deadline.map_or(0, |time| text::milliseconds(Some(time)));
        // SAFETY: the handle is valid; &mut keeps others out.
        self.done(unsafe { graft_request_options_set_deadline_ms(self.pointer(), milliseconds) })
    }

    /// Only requests with the same salt share cached prefixes; empty (default) = the common one.
    pub fn cache_salt(&mut self, salt: &str) -> Result<&mut Self> {
        self.set_text(graft_request_options_set_cache_salt, salt)
    }

    /// Sets many options from a JSON object whose keys are those of the C ABI: `{"kind": "generate", "max_tokens": 64,
    /// "temperature": 0.7, "stop": ["\n\n"], "deadline_ms": 500}`. A wrong key or value is `InvalidArgument` naming the
    /// key, and then nothing is set.
    pub fn json(&mut self, json: &str) -> Result<&mut Self> {
        self.set_text(graft_request_options_set_json, json)
    }

    fn set_text(
        &mut self,
        set: unsafe extern "C" fn(*mut graft_request_options, *const c_char, i64) -> i32,
        value: &str,
    ) -> Result<&mut Self> {
        // SAFETY: the handle is valid, the text has that size; &mut keeps others out.
        self.done(unsafe { set(self.pointer(), pointer_of(value), size_of(value.len())) })
    }

    fn set_tokens(
        &mut self,
        set: unsafe extern "C" fn(*mut graft_request_options, *const i64, i64) -> i32,
        tokens: &[i64],
    ) -> Result<&mut Self> {
        // SAFETY: the handle is valid, the slice has that size; &mut keeps others out.
        self.done(unsafe { set(self.pointer(), tokens.as_ptr(), size_of(tokens.len())) })
    }

    pub(crate) fn pointer(&self) -> *mut graft_request_options {
        self.raw.pointer()
    }

    fn done(&mut self, code: i32) -> Result<&mut Self> {
        check(code).map(|()| self)
    }
}

impl std::fmt::Debug for RequestOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestOptions").finish_non_exhaustive()
    }
}
