//! An engine under the name that clients call it by.
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use graft::{Engine, EngineOptions, Tokenizer};
use serde_json::{Value, json};

pub struct Model {
    pub name: String,
    pub engine: Engine,
    tokenizer: Option<Tokenizer>,
    since: u64,
    ends: Vec<i64>,
}

pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

impl Model {
    pub fn open(directory: &Path, options: &EngineOptions) -> Result<Self, Box<dyn std::error::Error>> {
        let path = std::path::absolute(directory)?;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let engine = options.open(&path)?;
        let info: Value = serde_json::from_str(&engine.info()?)?;
        let ends = info["eos_tokens"].as_array().map(|ids| ids.iter().filter_map(Value::as_i64).collect());
        let tokenizer = engine.tokenizer().ok();
        Ok(Self { name, engine, tokenizer, since: now(), ends: ends.unwrap_or_default() })
    }

    pub fn describe(&self) -> Value {
        json!({"id": self.name, "object": "model", "created": self.since, "owned_by": "graft"})
    }

    /// Whether a token ends an answer; it is no part of its text.
    pub fn ends_with(&self, token: i64) -> bool {
        self.ends.contains(&token)
    }

    /// The text of one token.
    pub fn spell(&self, token: i64) -> String {
        let text = self.tokenizer.as_ref().and_then(|tokenizer| tokenizer.decode(&[token], false).ok());
        text.unwrap_or_else(|| format!("<{token}>"))
    }
}
