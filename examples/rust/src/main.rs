//! Answers OpenAI's HTTP interface with Graft: chat and text completions, embeddings, models.
mod answer;
mod chat;
mod completions;
mod embeddings;
mod fields;
mod metrics;
mod model;
mod parameters;
mod problem;
mod server;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use graft::EngineOptions;
use graft::stream::Dispatcher;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

use metrics::Metrics;
use model::Model;
use server::Server;

const USAGE: &str = "\
graft-service --model DIR [--embedding-model DIR] [--listen HOST:PORT] [--device NAME] [--threads N]
              [--max-sequences N] [--max-queue N] [--grace SECONDS]";

struct Flags {
    listen: String,
    model: Option<PathBuf>,
    embedding_model: Option<PathBuf>,
    device: String,
    threads: i64,
    max_sequences: i64,
    max_queue: i64,
    grace: Duration,
}

/// `--name value` or `--name=value`.
fn flags(mut words: impl Iterator<Item = String>) -> Result<Flags, Box<dyn Error>> {
    let mut flags = Flags {
        listen: "127.0.0.1:8080".into(),
        model: None,
        embedding_model: None,
        device: "auto".into(),
        threads: 0,
        max_sequences: 0,
        max_queue: 0,
        grace: Duration::from_secs(60),
    };
    while let Some(word) = words.next() {
        let (name, given) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (word.as_str(), None),
        };
        let mut value = || given.clone().or_else(|| words.next()).ok_or(format!("{name} needs a value"));
        match name {
            "--listen" => flags.listen = value()?,
            "--model" => flags.model = Some(value()?.into()),
            "--embedding-model" => flags.embedding_model = Some(value()?.into()),
            "--device" => flags.device = value()?,
            "--threads" => flags.threads = value()?.parse()?,
            "--max-sequences" => flags.max_sequences = value()?.parse()?,
            "--max-queue" => flags.max_queue = value()?.parse()?,
            "--grace" => flags.grace = Duration::from_secs(value()?.parse()?),
            _ => return Err(format!("{name} is no flag\n{USAGE}").into()),
        }
    }
    Ok(flags)
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let flags = flags(std::env::args().skip(1))?;
    let server = Arc::new(open(&flags)?);
    let listener = TcpListener::bind(&flags.listen).await?;
    eprintln!("listening on {}", listener.local_addr()?);

    // The first signal lets answers go on to their end, as long as the grace lasts.
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stopped = Arc::new(Notify::new());
    let (stop, stopping) = (Arc::clone(&stopped), Arc::clone(&server));
    let signalled = async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        eprintln!("stopping: answers go on to their end");
        stopping.stopping.store(true, Ordering::Relaxed);
        stop.notify_one();
    };
    let patience = async {
        stopped.notified().await;
        tokio::time::sleep(flags.grace).await;
    };
    tokio::select! {
        served = axum::serve(listener, server.routes()).with_graceful_shutdown(signalled) => served?,
        () = patience => {}
    }
    let ending = Arc::clone(&server);
    tokio::task::spawn_blocking(move || {
        ending.models().try_for_each(|model| model.engine.shutdown(Some(Duration::from_secs(10))).map(|_| ()))
    })
    .await??;
    Ok(())
}

/// Opens the models; blocks, before there is anybody to wait.
fn open(flags: &Flags) -> Result<Server, Box<dyn Error>> {
    let mut options = EngineOptions::new()?;
    options.device(&flags.device)?.threads(flags.threads)?;
    options.max_sequences(flags.max_sequences)?.max_queue(flags.max_queue)?;
    let directory = flags.model.as_ref().ok_or(USAGE)?;
    let generator = Arc::new(Model::open(directory, &options)?);
    let embedder = match &flags.embedding_model {
        Some(directory) => Some(Arc::new(Model::open(directory, &options)?)),
        None => None,
    };
    if embedder.as_ref().is_some_and(|embedder| embedder.name == generator.name) {
        let name = &generator.name;
        return Err(
            format!("--model and --embedding-model are both called {name}: clients cannot tell them apart").into()
        );
    }
    let dispatcher = Dispatcher::new()?;
    Ok(Server { generator, embedder, dispatcher, metrics: Metrics::default(), stopping: AtomicBool::new(false) })
}
