//! What is opened once, and what many kinds do.
use std::cell::OnceCell;
use std::path::PathBuf;
use std::sync::Arc;

use graft::{Engine, EngineOptions, Error, Event, Input, Queue, Request, RequestOptions, Result, Tokenizer};

use crate::table::Case;

pub const ONE_THREAD: &str = r#"{"threads": 1}"#;

pub struct Session {
    pub model: PathBuf,
    embedding: PathBuf,
    engine: OnceCell<Arc<Engine>>,
    embedder: OnceCell<Arc<Engine>>,
    tokenizer: OnceCell<Tokenizer>,
}

/// `"STATUS text"`.
pub fn failure(error: &Error) -> String {
    format!("{} {}", error.status().name(), error.message())
}

pub fn open(path: impl Into<PathBuf>, json: Option<&str>) -> Result<Engine> {
    let mut options = EngineOptions::new()?;
    if let Some(json) = json {
        options.json(json)?;
    }
    options.open(path.into())
}

fn once<T>(cell: &OnceCell<T>, make: impl FnOnce() -> Result<T>) -> Result<&T> {
    if cell.get().is_none() {
        let _ = cell.set(make()?);
    }
    Ok(cell.get().expect("just set"))
}

impl Session {
    pub fn new(model: &str, embedding: &str) -> Self {
        let (model, embedding) = (model.into(), embedding.into());
        let (engine, embedder, tokenizer) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        Self { model, embedding, engine, embedder, tokenizer }
    }

    pub fn own_engine(&self) -> Result<Engine> {
        open(&self.model, Some(ONE_THREAD))
    }

    /// A case's engine: its own when it has the key `engine`, else the shared one.
    pub fn engine(&self, case: &Case) -> Result<Arc<Engine>> {
        match case.get("engine") {
            Some(json) => open(&self.model, Some(json)).map(Arc::new),
            None => once(&self.engine, || self.own_engine().map(Arc::new)).cloned(),
        }
    }

    pub fn embedder(&self) -> Result<&Arc<Engine>> {
        once(&self.embedder, || open(&self.embedding, Some(ONE_THREAD)).map(Arc::new))
    }

    pub fn tokenizer(&self) -> Result<&Tokenizer> {
        once(&self.tokenizer, || Tokenizer::open(&self.model))
    }
}

pub fn options(case: &Case) -> Result<RequestOptions> {
    let mut options = RequestOptions::new()?;
    if let Some(json) = case.get("options") {
        options.json(json)?;
    }
    Ok(options)
}

fn input(case: &Case) -> Result<Input> {
    let mut input = Input::new()?;
    if let Some(text) = case.get("prompt") {
        input.text(text)?;
    }
    if let Some(messages) = case.get("chat") {
        input.chat(messages)?;
    }
    if case.get("tokens").is_some() {
        input.tokens(&case.numbers("tokens"))?;
    }
    Ok(input)
}

pub fn submit(case: &Case, engine: &Engine) -> Result<Request> {
    engine.submit(&input(case)?, Some(&options(case)?))
}

pub fn submit_to(case: &Case, engine: &Engine, queue: &Queue, tag: i64) -> Result<Request> {
    engine.submit_to(queue, tag, &input(case)?, Some(&options(case)?))
}

/// All events of the case's answer.
pub fn events(case: &Case, engine: &Engine) -> Result<Vec<Event>> {
    submit(case, engine)?.collect()
}

pub fn text_of(events: &[Event]) -> String {
    events.iter().map(|event| event.text.as_str()).collect()
}
