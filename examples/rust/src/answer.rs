//! Runs the prompts of a request, each for as many answers, and writes them whole or as they come.
use std::convert::Infallible;
use std::future::poll_fn;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use futures_util::stream::unfold;
use graft::stream::EventStream;
use graft::{Event, EventKind, FinishReason, Input, RequestOptions, TopLogprob, Usage};
use serde_json::{Map, Value, json};

use crate::fields::Result;
use crate::model::now;
use crate::parameters::Parameters;
use crate::problem::{Problem, write};
use crate::server::{Server, blocking};

/// A chosen token with what was asked about it.
pub struct Sampled {
    pub token: i64,
    pub logprob: f64,
    pub top: Vec<TopLogprob>,
}

/// One answer as it grows.
#[derive(Default)]
pub struct Choice {
    pub text: String,
    pub tokens: Vec<Sampled>,
    reason: &'static str,
    usage: Usage,
}

/// How an interface writes its answers: chat or text completions.
pub trait Form: Send + 'static {
    fn id_prefix(&self) -> &'static str;
    fn object(&self, streamed: bool) -> &'static str;
    fn whole(&mut self, index: usize, choice: &Choice) -> Value;
    /// The chunk before the first text of a choice, if the interface has one.
    fn begin(&self) -> Option<Value>;
    fn part(&mut self, index: usize, text: &str, tokens: &[Sampled]) -> Value;
    fn end(&self) -> Value;
}

pub async fn answer(
    server: Arc<Server>,
    parameters: Parameters,
    inputs: Vec<Input>,
    form: Box<dyn Form>,
) -> Result<Response> {
    let Parameters { stream, usage_wanted, answers, options, .. } = parameters;
    let count = inputs.len() * answers;
    let streams = submit(&server, inputs, options).await?;
    let random = |salt: u8| RandomState::new().hash_one(salt);
    let id = format!("{}{:016x}{:016x}", form.id_prefix(), random(0), random(1));
    let choices = (0..count).map(|_| Choice::default()).collect();
    let run = Run {
        server,
        form,
        streams: streams.into_iter().map(Some).collect(),
        next: 0,
        choices,
        answers,
        running: count,
        usage_wanted,
        id,
        created: now(),
    };
    if stream { Ok(run.streamed()) } else { run.whole().await }
}

/// Hands every input to the engine; it counts tokens and may take its time, so not on the threads that serve others.
async fn submit(server: &Arc<Server>, inputs: Vec<Input>, options: RequestOptions) -> Result<Vec<EventStream>> {
    let server = Arc::clone(server);
    blocking(move || {
        let engine = &server.generator.engine;
        inputs.iter().map(|input| Ok(server.dispatcher.submit(engine, input, Some(&options))?)).collect()
    })
    .await
}

/// Dropping it, because the client left, drops the streams and so cancels what still runs.
struct Run {
    server: Arc<Server>,
    form: Box<dyn Form>,
    streams: Vec<Option<EventStream>>, // of each prompt, until it ends
    next: usize,                       // the prompt whose turn it is to be asked first
    choices: Vec<Choice>,
    answers: usize,
    running: usize,
    usage_wanted: bool,
    id: String,
    created: u64,
}

impl Run {
    /// The next event of any prompt, and the choice it belongs to; None when all have ended.
    async fn event(&mut self) -> Option<Result<(usize, Event)>> {
        poll_fn(|context| {
            let count = self.streams.len();
            let mut waiting = false;
            for turn in 0..count {
                let prompt = (self.next + turn) % count;
                let Some(stream) = &mut self.streams[prompt] else { continue };
                match stream.poll_next_unpin(context) {
                    Poll::Pending => waiting = true,
                    Poll::Ready(None) => self.streams[prompt] = None,
                    Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error.into()))),
                    Poll::Ready(Some(Ok(event))) => {
                        self.next = prompt + 1;
                        let sequence = usize::try_from(event.sequence).unwrap_or(0).min(self.answers - 1);
                        return Poll::Ready(Some(Ok((prompt * self.answers + sequence, event))));
                    }
                }
            }
            if waiting { Poll::Pending } else { Poll::Ready(None) }
        })
        .await
    }

    /// The token of an event, where something about it was asked and it is part of the text.
    fn sampled(&self, event: &mut Event) -> Vec<Sampled> {
        match event.token {
            Some(token) if !event.top_logprobs.is_empty() && !self.server.generator.ends_with(token) => {
                vec![Sampled { token, logprob: event.logprob, top: std::mem::take(&mut event.top_logprobs) }]
            }
            _ => Vec::new(),
        }
    }

    /// Notes the end of a choice. An answer that was cancelled, though its client is there, is that of a closed engine.
    fn finish(&mut self, index: usize, event: &Event) -> Result<()> {
        self.running -= 1;
        let choice = &mut self.choices[index];
        choice.usage = event.usage;
        choice.reason = match event.finish_reason {
            Some(FinishReason::Cancelled) => return Err(Problem::stopping()),
            Some(FinishReason::Length) => "length",
            _ => "stop",
        };
        Ok(())
    }

    fn body(&self, streamed: bool, choices: Vec<Value>, usage: Option<Value>) -> Value {
        let mut body = json!({"id": self.id, "object": self.form.object(streamed), "created": self.created,
                              "model": self.server.generator.name, "choices": choices});
        if let Some(usage) = usage {
            body["usage"] = usage;
        }
        body
    }

    /// Adds up what was used; a prompt that has several answers counts once.
    fn usage(&self) -> Value {
        let mut sum = Usage::default();
        for (index, choice) in self.choices.iter().enumerate() {
            sum.completion_tokens += choice.usage.completion_tokens;
            if index % self.answers == 0 {
                sum.prompt_tokens += choice.usage.prompt_tokens;
                sum.cached_tokens += choice.usage.cached_tokens;
            }
        }
        self.server.metrics.prompt.fetch_add(sum.prompt_tokens, Ordering::Relaxed);
        self.server.metrics.completion.fetch_add(sum.completion_tokens, Ordering::Relaxed);
        json!({"prompt_tokens": sum.prompt_tokens, "completion_tokens": sum.completion_tokens,
               "total_tokens": sum.prompt_tokens + sum.completion_tokens,
               "prompt_tokens_details": {"cached_tokens": sum.cached_tokens}})
    }

    async fn whole(mut self) -> Result<Response> {
        while self.running > 0 {
            let Some(next) = self.event().await else { break };
            let (index, mut event) = next?;
            let tokens = self.sampled(&mut event);
            self.choices[index].tokens.extend(tokens);
            self.choices[index].text.push_str(&event.text);
            if event.kind == EventKind::Finished {
                self.finish(index, &event)?;
            }
        }
        let whole = self
            .choices
            .iter()
            .enumerate()
            .map(|(index, choice)| numbered(self.form.whole(index, choice), index, Some(choice.reason)));
        let whole = whole.collect();
        let usage = self.usage();
        Ok(write(StatusCode::OK, &self.body(false, whole, Some(usage))))
    }

    /// Server-sent events. The client's pace is that of the connection: nothing is made before it is asked for.
    fn streamed(self) -> Response {
        let left = Some(Left::new(&self.server));
        let begin = Some(self.begin()).filter(|begin| !begin.is_empty());
        let chunks = unfold((self, begin, left), |(mut run, begin, mut left)| async move {
            let chunk = match begin {
                Some(begin) => begin,
                None => run.chunk().await?,
            };
            if let Some(left) = left.take_if(|_| run.streams.is_empty()) {
                left.stayed(); // these are the last words
            }
            Some((Ok::<_, Infallible>(chunk), (run, None, left)))
        });
        let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-cache")];
        (headers, Body::from_stream(chunks)).into_response()
    }

    fn begin(&self) -> String {
        let Some(begin) = self.form.begin() else { return String::new() };
        (0..self.choices.len()).map(|index| self.part(numbered(begin.clone(), index, None))).collect()
    }

    fn part(&self, part: Value) -> String {
        let usage = self.usage_wanted.then_some(Value::Null);
        sent(&self.body(true, vec![part], usage))
    }

    /// What the next event sends, and the last words after the last; None after those.
    async fn chunk(&mut self) -> Option<String> {
        let mut chunk = String::new();
        while chunk.is_empty() {
            if self.streams.is_empty() {
                return None;
            }
            let part = match self.event().await {
                Some(Ok((index, event))) => self.parts(index, event),
                Some(Err(problem)) => Err(problem),
                None => Err(Problem::stopping()),
            };
            match part {
                Ok(text) => chunk += &text,
                Err(problem) => {
                    self.streams.clear();
                    return Some(sent(&problem.body()));
                }
            }
            if self.running == 0 {
                self.streams.clear();
                let usage = self.usage();
                if self.usage_wanted {
                    chunk += &sent(&self.body(true, vec![], Some(usage)));
                }
                chunk += "data: [DONE]\n\n";
            }
        }
        Some(chunk)
    }

    fn parts(&mut self, index: usize, mut event: Event) -> Result<String> {
        let mut text = String::new();
        let tokens = self.sampled(&mut event);
        if !event.text.is_empty() || !tokens.is_empty() {
            let part = self.form.part(index, &event.text, &tokens);
            text += &self.part(numbered(part, index, None));
        }
        if event.kind == EventKind::Finished {
            self.finish(index, &event)?;
            text += &self.part(numbered(self.form.end(), index, Some(self.choices[index].reason)));
        }
        Ok(text)
    }
}

fn numbered(part: Value, index: usize, reason: Option<&str>) -> Value {
    let mut part = match part {
        Value::Object(part) => part,
        _ => Map::new(),
    };
    part.insert("index".into(), index.into());
    part.insert("finish_reason".into(), reason.into());
    Value::Object(part)
}

fn sent(body: &Value) -> String {
    format!("data: {body}\n\n")
}

/// Counts a client that left before its answer was complete: dropped, unless the client stayed.
pub struct Left(Option<Arc<Server>>);

impl Left {
    pub fn new(server: &Arc<Server>) -> Self {
        Self(Some(Arc::clone(server)))
    }

    pub fn stayed(mut self) {
        self.0.take();
    }
}

impl Drop for Left {
    fn drop(&mut self) {
        if let Some(server) = &self.0 {
            server.metrics.cancelled.fetch_add(1, Ordering::Relaxed);
        }
    }
}
