//! What went wrong, in OpenAI's form.
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use graft::Status;
use serde_json::{Value, json};

#[derive(Debug)]
pub struct Problem {
    code: StatusCode,
    kind: &'static str,
    text: String,
    param: Option<String>,
    name: Option<&'static str>,
}

impl Problem {
    fn new(code: StatusCode, kind: &'static str, text: impl Into<String>) -> Self {
        Self { code, kind, text: text.into(), param: None, name: None }
    }

    /// The request is wrong as a whole.
    pub fn bad(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request_error", text)
    }

    /// One field of the request is wrong.
    pub fn field(param: &str, text: impl std::fmt::Display) -> Self {
        Self { param: Some(param.into()), ..Self::bad(format!("{param}: {text}")) }
    }

    pub fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "invalid_request_error", "the body is too large")
    }

    pub fn no_such_address(text: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "invalid_request_error", text)
    }

    pub fn no_such_model(text: impl std::fmt::Display) -> Self {
        Self { code: StatusCode::NOT_FOUND, name: Some("model_not_found"), ..Self::field("model", text) }
    }

    pub fn stopping() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "server_error", "the service is stopping")
    }

    pub fn body(&self) -> Value {
        json!({"error": {"message": self.text, "type": self.kind, "param": self.param, "code": self.name}})
    }
}

impl From<graft::Error> for Problem {
    fn from(error: graft::Error) -> Self {
        let text = error.message();
        match error.status() {
            Status::LimitExceeded => Self { name: Some("context_length_exceeded"), ..Self::bad(text) },
            Status::InvalidArgument | Status::Unsupported => Self::bad(text),
            Status::Busy => {
                Self { name: Some("queue_full"), ..Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", text) }
            }
            Status::Closed | Status::InvalidState => Self::new(StatusCode::SERVICE_UNAVAILABLE, "server_error", text),
            _ => Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", text),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = write(self.code, &self.body());
        if matches!(self.code, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// JSON with a status.
pub fn write(code: StatusCode, body: &Value) -> Response {
    (code, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}
