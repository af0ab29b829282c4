//! The addresses, and what all of them share.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use graft::stream::Dispatcher;
use serde_json::json;

use crate::answer::Left;
use crate::chat::chat;
use crate::completions::completions;
use crate::embeddings::embeddings;
use crate::fields::{Fields, Result};
use crate::metrics::Metrics;
use crate::model::Model;
use crate::problem::{Problem, write};

pub struct Server {
    pub generator: Arc<Model>,
    pub embedder: Option<Arc<Model>>,
    pub dispatcher: Dispatcher,
    pub metrics: Metrics,
    pub stopping: AtomicBool,
}

type Shared = State<Arc<Server>>;
type Body = Result<Bytes, BytesRejection>;

impl Server {
    pub fn models(&self) -> impl Iterator<Item = &Arc<Model>> {
        std::iter::once(&self.generator).chain(&self.embedder)
    }

    /// The model that a client asks for, if it is the one that does this.
    pub fn named(&self, name: &str, wanted: Option<&Arc<Model>>) -> Result<Arc<Model>> {
        if let Some(model) = wanted.filter(|model| model.name == name) {
            return Ok(Arc::clone(model));
        }
        let names = self.models().map(|model| model.name.as_str()).collect::<Vec<_>>().join(", ");
        Err(Problem::no_such_model(format_args!("{name:?} does not do this here; served are {names}")))
    }

    pub fn routes(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/v1/chat/completions", post(|State(s): Shared, b: Body| async { chat(s, fields(b)?).await }))
            .route("/v1/completions", post(|State(s): Shared, b: Body| async { completions(s, fields(b)?).await }))
            .route("/v1/embeddings", post(|State(s): Shared, b: Body| async { embeddings(s, fields(b)?).await }))
            .route("/v1/models", get(list_models))
            .route("/v1/models/{*name}", get(show_model))
            .method_not_allowed_fallback(nothing_there)
            .fallback(nothing_there)
            .layer(from_fn_with_state(Arc::clone(self), counted))
            .route("/metrics", get(write_metrics))
            .route("/healthz", get(health))
            .layer(DefaultBodyLimit::max(16 << 20))
            .with_state(Arc::clone(self))
    }
}

/// Work that takes its time, on a thread of its own.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(Problem::stopping()))
}

fn fields(body: Body) -> Result<Fields> {
    match body {
        Ok(body) => Fields::parse(&body),
        Err(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(Problem::too_large()),
        Err(error) => Err(Problem::bad(error.body_text())),
    }
}

/// Counts answers by path and code, and clients that leave before there is one.
async fn counted(State(server): Shared, request: Request, next: Next) -> Response {
    let known = ["/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/models"];
    let path = request.uri().path();
    let path =
        known.into_iter().find(|known| path == *known || path.starts_with("/v1/models/") && *known == "/v1/models");
    let mut count = Count { server, path: path.unwrap_or("other"), code: 0 };
    let left = Left::new(&count.server);
    let response = next.run(request).await;
    left.stayed();
    count.code = response.status().as_u16();
    response
}

struct Count {
    server: Arc<Server>,
    path: &'static str,
    code: u16,
}

impl Drop for Count {
    fn drop(&mut self) {
        self.server.metrics.answered(self.path, self.code);
    }
}

async fn list_models(State(server): Shared) -> Response {
    let data: Vec<_> = server.models().map(|model| model.describe()).collect();
    write(StatusCode::OK, &json!({"object": "list", "data": data}))
}

async fn show_model(State(server): Shared, name: Result<Path<String>, PathRejection>) -> Result<Response> {
    let Path(name) = name.map_err(|error| Problem::bad(error.body_text()))?;
    let model = server.named(&name, server.models().find(|model| model.name == name))?;
    Ok(write(StatusCode::OK, &model.describe()))
}

async fn nothing_there(request: Request) -> Problem {
    Problem::no_such_address(format!("no such address: {} {}", request.method(), request.uri().path()))
}

async fn write_metrics(State(server): Shared) -> Response {
    let text = server.metrics.write(server.models().map(AsRef::as_ref));
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}

async fn health(State(server): Shared) -> Response {
    let stopping = server.stopping.load(Ordering::Relaxed);
    (if stopping { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }, "ok\n").into_response()
}
