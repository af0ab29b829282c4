//! POST /v1/embeddings.
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::http::StatusCode;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;
use graft::stream::EventStream;
use graft::{RequestKind, RequestOptions};
use serde_json::{Value, json};

use crate::completions::prompts;
use crate::fields::{Fields, Result};
use crate::problem::{Problem, write};
use crate::server::{Server, blocking};

pub async fn embeddings(server: Arc<Server>, mut fields: Fields) -> Result<Response> {
    let name = fields.text("model")?.ok_or_else(|| Problem::field("model", "missing"))?;
    let embedder = server.named(&name, server.embedder.as_ref())?;
    let inputs = prompts(&mut fields, "input")?;
    let base64 = match fields.text("encoding_format")?.as_deref() {
        None | Some("float") => false,
        Some("base64") => true,
        Some(_) => return Err(Problem::field("encoding_format", "neither float nor base64")),
    };
    let dimensions = fields.integer("dimensions", 1, i64::MAX)?;
    fields.take("user");
    fields.end()?;
    // all into the engine, which works on them together; the rows are taken in order
    let submitting = Arc::clone(&server);
    let streams = blocking(move || {
        let mut options = RequestOptions::new()?;
        options.kind(RequestKind::Embed)?;
        let submit = |input| Ok(submitting.dispatcher.submit(&embedder.engine, input, Some(&options))?);
        inputs.iter().map(submit).collect::<Result<Vec<EventStream>>>()
    })
    .await?;
    let mut data = Vec::new();
    let mut tokens = 0;
    for (index, stream) in streams.into_iter().enumerate() {
        let (row, used) = row(stream).await?;
        if dimensions.is_some_and(|wanted| usize::try_from(wanted) != Ok(row.len())) {
            return Err(Problem::field("dimensions", format_args!("this model has {}", row.len())));
        }
        tokens += used;
        let row: Value = if base64 {
            STANDARD.encode(row.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>()).into()
        } else {
            row.into()
        };
        data.push(json!({"object": "embedding", "index": index, "embedding": row}));
    }
    server.metrics.prompt.fetch_add(tokens, Ordering::Relaxed);
    let usage = json!({"prompt_tokens": tokens, "total_tokens": tokens});
    Ok(write(StatusCode::OK, &json!({"object": "list", "model": name, "data": data, "usage": usage})))
}

/// One row, waited for, and how many tokens it was made of.
async fn row(mut stream: EventStream) -> Result<(Vec<f32>, i64)> {
    let mut tokens = 0;
    while let Some(event) = stream.next().await {
        tokens = event?.usage.prompt_tokens.max(tokens);
    }
    Ok((stream.tensor("embedding")?.as_slice::<f32>()?.to_vec(), tokens))
}
