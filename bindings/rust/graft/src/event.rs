//! What happened to a request.
use graft_sys::*;

use crate::handle::Handle;
use crate::status::{Error, Result, Status, check};
use crate::text::{self, size_of};

/// What kind of event it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// A new buffer, not filled yet.
    None,
    /// One token was chosen; its text, if whole characters became complete with it.
    Token,
    /// Text alone: characters that were held back.
    Text,
    /// The prompt is being read.
    Progress,
    /// One sequence ended.
    Finished,
    /// The request failed. Iterators and pulls give an [`Error`] instead; it is seen in queues.
    Error,
    /// A number that this crate does not know.
    Unknown(i32),
}

impl EventKind {
    fn from_code(code: i32) -> Self {
        match code {
            GRAFT_EVENT_NONE => Self::None,
            GRAFT_EVENT_TOKEN => Self::Token,
            GRAFT_EVENT_TEXT => Self::Text,
            GRAFT_EVENT_PROGRESS => Self::Progress,
            GRAFT_EVENT_FINISHED => Self::Finished,
            GRAFT_EVENT_ERROR => Self::Error,
            other => Self::Unknown(other),
        }
    }
}

/// Why a sequence ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FinishReason {
    /// The model ended its answer, or a stop text or token came.
    Stop,
    /// `max_tokens`, or the context is full.
    Length,
    /// It was cancelled, or the engine shut down.
    Cancelled,
    /// Its deadline passed.
    Deadline,
    /// It failed.
    Error,
    /// A number that this crate does not know.
    Unknown(i32),
}

impl FinishReason {
    fn from_code(code: i32) -> Option<Self> {
        Some(match code {
            GRAFT_FINISH_NONE => return None,
            GRAFT_FINISH_STOP => Self::Stop,
            GRAFT_FINISH_LENGTH => Self::Length,
            GRAFT_FINISH_CANCELLED => Self::Cancelled,
            GRAFT_FINISH_DEADLINE => Self::Deadline,
            GRAFT_FINISH_ERROR => Self::Error,
            other => Self::Unknown(other),
        })
    }
}

/// Counts of tokens so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Usage {
    /// Tokens that went in.
    pub prompt_tokens: i64,
    /// Tokens generated.
    pub completion_tokens: i64,
    /// Tokens of the prompt that were found in the cache.
    pub cached_tokens: i64,
}

/// One of the most likely tokens at a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TopLogprob {
    /// Its id.
    pub token: i64,
    /// Natural logarithm of its probability.
    pub logprob: f64,
}

/// One thing that happened to a request, on its own: what an iterator gives. [`EventBuffer`] allocates nothing instead.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// What kind of event it is.
    pub kind: EventKind,
    /// The tag given to [`Engine::submit_to`](crate::Engine::submit_to).
    pub tag: i64,
    /// Which of the request's answers it belongs to: 0 to `num_sequences` - 1.
    pub sequence: i64,
    /// The token's id, if it has one.
    pub token: Option<i64>,
    /// New text: whole characters; empty when there is none.
    pub text: String,
    /// Natural logarithm of the token's probability, for requests with `top_logprobs`; 0 otherwise.
    pub logprob: f64,
    /// The most likely tokens at this step, most likely first.
    pub top_logprobs: Vec<TopLogprob>,
    /// Why the sequence ended; of [`EventKind::Finished`].
    pub finish_reason: Option<FinishReason>,
    /// Tokens so far.
    pub usage: Usage,
    /// How much of the prompt has been read, in [0, 1].
    pub progress: f64,
    /// Nothing more will come of the event's request, in all its answers.
    pub last: bool,
}

/// An event that is refilled again and again, so that a stream of tokens allocates nothing: see
/// [`Request::pull`](crate::Request::pull) and [`Queue::next`](crate::Queue::next). What is borrowed from it ends when it
/// is refilled; the compiler sees to that. `Send`, not `Sync`.
pub struct EventBuffer {
    raw: Handle<graft_event>,
}

// SAFETY: event.h: "Send, not Sync: not while it is being refilled".
unsafe impl Send for EventBuffer {}

impl EventBuffer {
    /// An empty buffer.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub fn new() -> Result<Self> {
        // SAFETY: the place is valid for the call.
        Ok(Self { raw: Handle::made(|out| unsafe { graft_event_new(out) })? })
    }

    /// What happened; [`EventKind::None`] in a new buffer.
    pub fn kind(&self) -> EventKind {
        // SAFETY: the handle is valid and this thread's, as in all getters below.
        EventKind::from_code(unsafe { graft_event_kind(self.pointer()) })
    }

    /// The tag given to [`Engine::submit_to`](crate::Engine::submit_to).
    pub fn tag(&self) -> i64 {
        // SAFETY: as in kind().
        unsafe { graft_event_tag(self.pointer()) }
    }

    /// Which of the request's answers it belongs to.
    pub fn sequence(&self) -> i64 {
        // SAFETY: as in kind().
        unsafe { graft_event_sequence(self.pointer()) }
    }

    /// The token's id, if it has one.
    pub fn token(&self) -> Option<i64> {
        // SAFETY: as in kind().
        let token = unsafe { graft_event_token(self.pointer()) };
        (token >= 0).then_some(token)
    }

    /// New text: whole characters; empty when there is none.
    pub fn text(&self) -> &str {
        let mut size = 0;
        // SAFETY: as in kind(); the bytes live until the event is refilled, which needs &mut.
        text::whole(unsafe { text::slice(graft_event_text(self.pointer(), &mut size).cast::<u8>(), size) })
    }

    /// Natural logarithm of the token's probability under the model, for requests with `top_logprobs`; 0 otherwise.
    pub fn logprob(&self) -> f64 {
        // SAFETY: as in kind().
        unsafe { graft_event_logprob(self.pointer()) }
    }

    /// The most likely tokens at this step, most likely first.
    ///
    /// # Errors
    /// None expected.
    pub fn top_logprobs(&self) -> Result<Vec<TopLogprob>> {
        let mut count = 0;
        // SAFETY: as in kind(); no buffers are given, so nothing but the count is written.
        let code = unsafe {
            graft_event_top_logprobs(self.pointer(), std::ptr::null_mut(), std::ptr::null_mut(), 0, &mut count)
        };
        if code == GRAFT_STATUS_OK {
            return Ok(Vec::new());
        }
        let needed = usize::try_from(count).unwrap_or(0);
        let (mut tokens, mut logprobs) = (vec![0; needed], vec![0.0; needed]);
        // SAFETY: as in kind(); both buffers have that capacity.
        check(unsafe {
            let capacity = size_of(needed);
            graft_event_top_logprobs(self.pointer(), tokens.as_mut_ptr(), logprobs.as_mut_ptr(), capacity, &mut count)
        })?;
        Ok(tokens.into_iter().zip(logprobs).map(|(token, logprob)| TopLogprob { token, logprob }).collect())
    }

    /// Why the sequence ended; of [`EventKind::Finished`].
    pub fn finish_reason(&self) -> Option<FinishReason> {
        // SAFETY: as in kind().
        FinishReason::from_code(unsafe { graft_event_finish_reason(self.pointer()) })
    }

    /// Tokens so far.
    pub fn usage(&self) -> Usage {
        // SAFETY: as in kind().
        let of = |what| unsafe { graft_event_usage(self.pointer(), what) };
        Usage {
            prompt_tokens: of(GRAFT_USAGE_PROMPT_TOKENS),
            completion_tokens: of(GRAFT_USAGE_COMPLETION_TOKENS),
            cached_tokens: of(GRAFT_USAGE_CACHED_TOKENS),
        }
    }

    /// How much of the prompt has been read, in [0, 1].
    pub fn progress(&self) -> f64 {
        // SAFETY: as in kind().
        unsafe { graft_event_progress(self.pointer()) }
    }

    /// Whether nothing more will come of the event's request, in all its answers: whoever reads a queue learns by it when
    /// a request is over.
    pub fn last(&self) -> bool {
        // SAFETY: as in kind().
        unsafe { graft_event_last(self.pointer()) != 0 }
    }

    /// The request's failure; of [`EventKind::Error`].
    pub fn error(&self) -> Option<Error> {
        // SAFETY: as in kind(); the message lives until the event is refilled and is copied here.
        let (code, message) =
            unsafe { (graft_event_status(self.pointer()), text::borrowed(graft_event_message(self.pointer()))) };
        (code != GRAFT_STATUS_OK).then(|| Error::new(Status::from_code(code), message))
    }

    /// A copy of everything.
    ///
    /// # Errors
    /// None expected.
    pub fn to_event(&self) -> Result<Event> {
        let kind = self.kind();
        Ok(Event {
            kind,
            tag: self.tag(),
            sequence: self.sequence(),
            token: self.token(),
            text: self.text().to_owned(),
            logprob: self.logprob(),
            top_logprobs: self.top_logprobs()?,
            finish_reason: self.finish_reason(),
            usage: self.usage(),
            progress: self.progress(),
            last: self.last(),
        })
    }

    pub(crate) fn pointer(&self) -> *mut graft_event {
        self.raw.pointer()
    }
}

impl std::fmt::Debug for EventBuffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventBuffer").field("kind", &self.kind()).field("text", &self.text()).finish_non_exhaustive()
    }
}
