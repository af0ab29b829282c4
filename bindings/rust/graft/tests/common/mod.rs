//! What the tests share.
#![allow(dead_code)] // each test program uses its part
use std::path::PathBuf;

use graft::{Engine, EngineOptions, Input, RequestOptions, Result};

pub fn model() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../examples/model")
}

pub fn engine() -> Engine {
    EngineOptions::new().unwrap().threads(1).unwrap().open(model()).unwrap()
}

pub fn options(json: &str) -> RequestOptions {
    let mut options = RequestOptions::new().unwrap();
    options.json(json).unwrap();
    options
}

pub fn input() -> Input {
    Input::from_text("What is").unwrap()
}

/// An answer of `tokens` tokens, always the same.
pub fn steady(tokens: i64) -> RequestOptions {
    options(&format!(r#"{{"greedy": true, "ignore_eos": true, "max_tokens": {tokens}}}"#))
}

pub fn answer(engine: &Engine, tokens: i64) -> Result<String> {
    engine.submit(&input(), Some(&steady(tokens)))?.into_text()
}
