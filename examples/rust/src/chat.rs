//! POST /v1/chat/completions.
use std::sync::Arc;

use axum::response::Response;
use graft::{Input, TopLogprob};
use serde_json::{Value, json};

use crate::answer::{Choice, Form, Sampled, answer};
use crate::fields::{Fields, Result};
use crate::model::Model;
use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::server::Server;

pub async fn chat(server: Arc<Server>, mut fields: Fields) -> Result<Response> {
    let mut parameters = Parameters::take(&mut fields, None)?;
    server.named(&parameters.model, Some(&server.generator))?;
    let messages = fields.array("messages")?.unwrap_or_default();
    if let Some(tokens) = fields.integer("max_completion_tokens", 1, i64::MAX)? {
        parameters.options.max_tokens(tokens)?;
    }
    let logprobs = fields.flag("logprobs")?;
    let top = fields.integer("top_logprobs", 0, 20)?;
    if top.is_some() && !logprobs {
        return Err(Problem::field("top_logprobs", "only with logprobs"));
    }
    let top = top.unwrap_or(0);
    if logprobs {
        parameters.options.top_logprobs(top.max(1))?;
    }
    if let Some(format) = fields.object("response_format")? {
        if format.get("type") != Some(&"text".into()) {
            return Err(Problem::field("response_format", "only the type text is supported"));
        }
    }
    fields.end()?;
    let input = Input::from_chat(&conversation(&messages)?.to_string())?;
    let top = usize::try_from(top).unwrap_or(0);
    let form = ChatForm { model: Arc::clone(&server.generator), logprobs, top };
    answer(server, parameters, vec![input], Box::new(form)).await
}

fn wrong(index: usize, text: impl std::fmt::Display) -> Problem {
    let problem = format!("messages[{index}]: {text}");
    Problem::field("messages", problem)
}

/// Checks the messages, and joins contents that come in parts.
fn conversation(messages: &[Value]) -> Result<Value> {
    if messages.is_empty() {
        return Err(Problem::field("messages", "missing or empty"));
    }
    let turn = |(index, message): (usize, &Value)| {
        let role = match message["role"].as_str() {
            Some("developer") => "system",
            Some(role @ ("system" | "user" | "assistant")) => role,
            _ => return Err(wrong(index, format_args!("the role {} is not supported", message["role"]))),
        };
        let content = match &message["content"] {
            Value::String(text) => text.clone(),
            Value::Array(parts) if !parts.is_empty() => joined(index, parts)?,
            _ => return Err(wrong(index, "the content is neither a text nor an array of parts")),
        };
        Ok(json!({"role": role, "content": content}))
    };
    messages.iter().enumerate().map(turn).collect()
}

fn joined(index: usize, parts: &[Value]) -> Result<String> {
    let text = |part: &Value| match (part["type"].as_str(), part["text"].as_str()) {
        (Some("text"), Some(text)) => Ok(text.to_owned()),
        _ => Err(wrong(index, format_args!("a part of the type {} is not supported", part["type"]))),
    };
    parts.iter().map(text).collect()
}

struct ChatForm {
    model: Arc<Model>,
    logprobs: bool,
    top: usize,
}

impl ChatForm {
    fn tokens(&self, tokens: &[Sampled]) -> Value {
        if !self.logprobs {
            return Value::Null;
        }
        let entry = |sampled: &Sampled| {
            let top = sampled.top.iter().take(self.top).map(|top| self.token(*top)).collect::<Vec<_>>();
            let mut entry = self.token(TopLogprob { token: sampled.token, logprob: sampled.logprob });
            entry["top_logprobs"] = top.into();
            entry
        };
        json!({"content": tokens.iter().map(entry).collect::<Vec<_>>(), "refusal": null})
    }

    fn token(&self, of: TopLogprob) -> Value {
        let text = self.model.spell(of.token);
        // the bytes of half a character are not known here
        let bytes = (!text.contains('\u{FFFD}')).then_some(text.as_bytes());
        json!({"token": text, "logprob": of.logprob, "bytes": bytes})
    }
}

impl Form for ChatForm {
    fn id_prefix(&self) -> &'static str {
        "chatcmpl-"
    }

    fn object(&self, streamed: bool) -> &'static str {
        if streamed { "chat.completion.chunk" } else { "chat.completion" }
    }

    fn whole(&mut self, _: usize, choice: &Choice) -> Value {
        let message = json!({"role": "assistant", "content": choice.text, "refusal": null});
        json!({"message": message, "logprobs": self.tokens(&choice.tokens)})
    }

    fn begin(&self) -> Option<Value> {
        Some(json!({"delta": {"role": "assistant", "content": ""}, "logprobs": null}))
    }

    fn part(&mut self, _: usize, text: &str, tokens: &[Sampled]) -> Value {
        json!({"delta": {"content": text}, "logprobs": self.tokens(tokens)})
    }

    fn end(&self) -> Value {
        json!({"delta": {}, "logprobs": null})
    }
}
