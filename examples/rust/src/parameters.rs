//! What chat and text completions share.
use graft::RequestOptions;
use serde_json::Value;

use crate::fields::{Fields, Result};
use crate::problem::Problem;

pub struct Parameters {
    pub model: String,
    pub stream: bool,
    pub usage_wanted: bool,
    /// How many answers to each prompt.
    pub answers: usize,
    pub options: RequestOptions,
}

impl Parameters {
    /// Takes the shared fields; a limit of tokens that is not given is `most_tokens`.
    pub fn take(fields: &mut Fields, most_tokens: Option<i64>) -> Result<Self> {
        let model = fields.text("model")?.ok_or_else(|| Problem::field("model", "missing"))?;
        let stream = fields.flag("stream")?;
        let usage_wanted = stream_options(fields, stream)?;
        let mut options = RequestOptions::new()?;
        let answers = fields.integer("n", 1, 128)?.unwrap_or(1);
        options.num_sequences(answers)?;
        if let Some(tokens) = fields.integer("max_tokens", 1, i64::MAX)?.or(most_tokens) {
            options.max_tokens(tokens)?;
        }
        if let Some(temperature) = fields.number("temperature", 0.0, 2.0)? {
            options.temperature(temperature)?;
        }
        if let Some(top_p) = fields.number("top_p", 0.0, 1.0)? {
            options.top_p(top_p.max(1e-9))?; // 0 means the most likely token here, nothing there
        }
        if let Some(penalty) = fields.number("frequency_penalty", -2.0, 2.0)? {
            options.frequency_penalty(penalty)?;
        }
        if let Some(penalty) = fields.number("presence_penalty", -2.0, 2.0)? {
            options.presence_penalty(penalty)?;
        }
        if let Some(seed) = fields.integer("seed", i64::MIN, i64::MAX)? {
            options.seed(seed & i64::MAX)?;
        }
        set_stop(fields, &mut options)?;
        set_bias(fields, &mut options)?;
        for without_effect in ["user", "metadata", "safety_identifier", "prompt_cache_key"] {
            fields.take(without_effect);
        }
        let answers = usize::try_from(answers).unwrap_or(1);
        Ok(Self { model, stream, usage_wanted, answers, options })
    }
}

fn stream_options(fields: &mut Fields, stream: bool) -> Result<bool> {
    let name = "stream_options";
    let Some(given) = fields.object(name)? else { return Ok(false) };
    if !stream {
        return Err(Problem::field(name, "only with stream"));
    }
    let mut wanted = false;
    for (key, value) in &given {
        match (key.as_str(), value) {
            ("include_usage", Value::Bool(on)) => wanted = *on,
            ("include_obfuscation", Value::Bool(_)) => {}
            _ => return Err(Problem::field(name, format_args!("{key}: {value} is not supported"))),
        }
    }
    Ok(wanted)
}

fn set_stop(fields: &mut Fields, options: &mut RequestOptions) -> Result<()> {
    let texts = match fields.take("stop") {
        None => return Ok(()),
        Some(Value::Array(texts)) => texts,
        Some(one) => vec![one],
    };
    if texts.len() > 4 {
        return Err(Problem::field("stop", format_args!("{} texts, at most 4", texts.len())));
    }
    for text in &texts {
        match text.as_str() {
            Some("") => return Err(Problem::field("stop", "an empty text")),
            Some(text) => options.add_stop(text)?,
            None => return Err(Problem::field("stop", format_args!("{text} is no text"))),
        };
    }
    Ok(())
}

fn set_bias(fields: &mut Fields, options: &mut RequestOptions) -> Result<()> {
    let Some(given) = fields.object("logit_bias")? else { return Ok(()) };
    let mut bias = Vec::new();
    for (token, value) in &given {
        let id = token.parse().ok().filter(|id: &i64| *id >= 0);
        let number = value.as_f64().filter(|number| (-100.0..=100.0).contains(number));
        let (Some(id), Some(number)) = (id, number) else {
            let text = format!("{token:?}: {value} is no token with a number between -100 and 100");
            return Err(Problem::field("logit_bias", text));
        };
        bias.push((id, number));
    }
    options.logit_bias(&bias)?;
    Ok(())
}
