//! POST /v1/completions.
use std::sync::Arc;

use axum::response::Response;
use graft::Input;
use serde_json::{Map, Value, json};

use crate::answer::{Choice, Form, Sampled, answer};
use crate::fields::{Fields, Result, integers};
use crate::model::Model;
use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::server::Server;

pub async fn completions(server: Arc<Server>, mut fields: Fields) -> Result<Response> {
    let mut parameters = Parameters::take(&mut fields, Some(16))?;
    server.named(&parameters.model, Some(&server.generator))?;
    let inputs = prompts(&mut fields, "prompt")?;
    if fields.flag("echo")? {
        return Err(Problem::field("echo", "not supported"));
    }
    if fields.text("suffix")?.is_some_and(|suffix| !suffix.is_empty()) {
        return Err(Problem::field("suffix", "not supported"));
    }
    let best_of = fields.integer("best_of", 1, 128)?;
    if best_of.is_some_and(|number| usize::try_from(number) != Ok(parameters.answers)) {
        return Err(Problem::field("best_of", "only the same as n is supported"));
    }
    let top = fields.integer("logprobs", 0, 5)?;
    if let Some(top) = top {
        parameters.options.top_logprobs(top.max(1))?;
    }
    fields.end()?;
    let offsets = vec![0; inputs.len() * parameters.answers];
    let top = top.map(|top| usize::try_from(top).unwrap_or(0));
    let form = TextForm { model: Arc::clone(&server.generator), top, offsets };
    answer(server, parameters, inputs, Box::new(form)).await
}

/// A text, texts, tokens, or several of those.
pub fn prompts(fields: &mut Fields, name: &str) -> Result<Vec<Input>> {
    let value = fields.take(name).ok_or_else(|| Problem::field(name, "missing"))?;
    let neither = || Problem::field(name, "neither text nor tokens, nor an array of them");
    let several = match &value {
        Value::String(text) => return Ok(vec![Input::from_text(text)?]),
        Value::Array(several) => several,
        _ => return Err(neither()),
    };
    if several.is_empty() || (several.len() > 2048 && !several[0].is_number()) {
        return Err(Problem::field(name, format_args!("{} of them; 1 to 2048", several.len())));
    }
    if several[0].is_number() {
        return Ok(vec![Input::from_tokens(&integers(several).ok_or_else(neither)?)?]);
    }
    let one = |value: &Value| match value {
        Value::String(text) if several[0].is_string() => Ok(Input::from_text(text)?),
        Value::Array(ids) if several[0].is_array() => Ok(Input::from_tokens(&integers(ids).ok_or_else(neither)?)?),
        _ => Err(neither()),
    };
    several.iter().map(one).collect()
}

struct TextForm {
    model: Arc<Model>,
    top: Option<usize>,
    offsets: Vec<usize>, // where in its text each choice is, in characters
}

impl TextForm {
    fn tokens(&mut self, index: usize, tokens: &[Sampled]) -> Value {
        let Some(most) = self.top else { return Value::Null };
        let (mut names, mut logprobs, mut tops, mut offsets) = (vec![], vec![], vec![], vec![]);
        for sampled in tokens {
            let name = self.model.spell(sampled.token);
            let top = sampled.top.iter().take(most);
            let top: Map<String, Value> = top.map(|top| (self.model.spell(top.token), top.logprob.into())).collect();
            offsets.push(self.offsets[index]);
            self.offsets[index] += name.chars().count();
            names.push(name);
            logprobs.push(sampled.logprob);
            tops.push(top);
        }
        json!({"tokens": names, "token_logprobs": logprobs, "top_logprobs": tops, "text_offset": offsets})
    }
}

impl Form for TextForm {
    fn id_prefix(&self) -> &'static str {
        "cmpl-"
    }

    fn object(&self, _: bool) -> &'static str {
        "text_completion"
    }

    fn whole(&mut self, index: usize, choice: &Choice) -> Value {
        json!({"text": choice.text, "logprobs": self.tokens(index, &choice.tokens)})
    }

    fn begin(&self) -> Option<Value> {
        None
    }

    fn part(&mut self, index: usize, text: &str, tokens: &[Sampled]) -> Value {
        json!({"text": text, "logprobs": self.tokens(index, tokens)})
    }

    fn end(&self) -> Value {
        json!({"text": "", "logprobs": null})
    }
}
