//! Chat templates: what a model's Jinja template makes of a conversation, as Transformers renders it.

mod clock;
mod environment;
mod generation;
mod json;
mod limits;
mod python;
mod request;

use std::error::Error as _;
use std::io;

use minijinja::{Error, ErrorKind, Value};

use crate::budget;
use crate::failure::{Failure, Result, Status};
use environment::{environment, Raised};
use generation::without_generation;
use request::{invalid, is_reasoning, reasoning_names, Mapping, Request};

/// Where a continued message ends, as Transformers marks it. Templates strip the space or keep it.
const TAG: &str = "CONTINUE_FINAL_MESSAGE_TAG ";

/// Renders on a thread of its own, with a stack for whatever the fuel can nest. Fuel ends nearly all that runs away; a
/// value that holds another many times can cost more than it seems, and there the thread's own limits take over.
pub fn render(setup: &str, messages: &str, options: &str) -> Result<String> {
    let input_bytes = messages.len() + options.len();
    let fuel = limits::fuel(input_bytes);
    let thread = budget::Limits {
        memory_bytes: limits::memory_bytes(input_bytes + setup.len()),
        stack_bytes: limits::stack_bytes(fuel),
        time: limits::TIME,
    };
    let (setup, messages, options) = (setup.to_string(), messages.to_string(), options.to_string());
    budget::run("the chat template", &thread, move || render_here(&setup, &messages, &options, fuel))
}

fn render_here(setup: &str, messages: &str, options: &str, fuel: u64) -> Result<String> {
    let mut request = Request::read(setup, messages, options)?;
    let continued = match request.continued.take() {
        Some(name) => Some(mark_end(&mut request, &name)?),
        None => None,
    };
    let messages: Vec<Value> = request.messages.into_iter().map(Mapping::into_value).collect();
    request.variables.set("messages", Value::from(messages));
    // As Jinja reads it.
    let template = request.template.replace("\r\n", "\n").replace('\r', "\n");
    let template = without_generation(&template);
    let env = environment(fuel)?;
    let mut out = Bounded { bytes: Vec::new(), full: false };
    let rendered = env
        .template_from_str(&template)
        .and_then(|template| template.render_captured_to(request.variables.into_value(), &mut out).map(|_| ()));
    if out.full {
        let message = format!("{}the text is longer than {} bytes", request.label, limits::OUTPUT_BYTES);
        return Err(Failure::new(Status::LimitExceeded, message));
    }
    rendered.map_err(|error| failure_of(&error, &request.label))?;
    let text =
        String::from_utf8(out.bytes).map_err(|_| Failure::new(Status::Internal, "the text is not valid UTF-8"))?;
    match continued {
        Some(end) => cut_at_mark(text, &end),
        None => Ok(text),
    }
}

struct Bounded {
    bytes: Vec<u8>,
    full: bool,
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > limits::OUTPUT_BYTES {
            self.full = true;
            return Err(io::Error::other("too long"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn failure_of(error: &Error, label: &str) -> Failure {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(raised) = cause.downcast_ref::<Raised>() {
            return Failure::new(Status::InvalidArgument, shortened(format!("{label}{raised}")));
        }
        source = cause.source();
    }
    let detail = error.detail().unwrap_or_default();
    let line = error.line().map_or(String::new(), |line| format!("line {line}: "));
    let (status, what) = match error.kind() {
        ErrorKind::OutOfFuel => (Status::LimitExceeded, "the template runs too long or makes too much text".into()),
        _ if detail.contains("recursion limit") => (Status::LimitExceeded, "the template recurses too deep".into()),
        ErrorKind::SyntaxError if label.starts_with("options") => {
            (Status::InvalidArgument, format!("syntax: {detail}"))
        }
        ErrorKind::SyntaxError => (Status::CorruptData, format!("syntax: {detail}")),
        kind @ (ErrorKind::UnknownFilter
        | ErrorKind::UnknownTest
        | ErrorKind::UnknownFunction
        | ErrorKind::UnknownMethod) => (Status::Unsupported, format!("{kind}: {detail}")),
        kind => (Status::InvalidArgument, format!("{kind}: {detail}")),
    };
    Failure::new(status, shortened(format!("{label}{line}{what}")))
}

fn shortened(mut message: String) -> String {
    if message.len() > limits::MESSAGE_BYTES {
        let mut end = limits::MESSAGE_BYTES;
        while !message.is_char_boundary(end) {
            end -= 1;
        }
        message.truncate(end);
        message.push_str("...");
    }
    message
}

/// Puts the tag behind what is to be continued; gives that text back.
fn mark_end(request: &mut Request, name: &str) -> Result<String> {
    let missing = || invalid(format!("continue_final_message: the last message has no text under \"{name}\""));
    let last = request.messages.last_mut().ok_or_else(missing)?;
    let value = last.get(name).cloned().ok_or_else(missing)?;
    let names: Vec<&str> = match is_reasoning(name) {
        true => reasoning_names().into_iter().filter(|other| last.get(other) == Some(&value)).collect(),
        false => vec![name],
    };
    if !names.iter().any(|name| request.template.contains(name)) {
        return Err(invalid(format!("continue_final_message: the template does not read \"{name}\"")));
    }
    if let Some(text) = value.as_str() {
        for name in names {
            last.set(name, format!("{text}{TAG}").into());
        }
        return Ok(text.into());
    }
    // A list of parts: the last one with a text.
    let mut parts: Vec<Value> = value.try_iter().map_err(|_| missing())?.collect();
    for part in parts.iter_mut().rev() {
        let mut fields = Mapping::of(part);
        if let Some(text) = fields.get("text").and_then(|text| text.as_str().map(String::from)) {
            fields.set("text", format!("{text}{TAG}").into());
            *part = fields.into_value();
            last.set(name, Value::from(parts));
            return Ok(text);
        }
    }
    Err(missing())
}

fn cut_at_mark(mut text: String, end: &str) -> Result<String> {
    let at = text.rfind(TAG.trim_end()).filter(|_| text.contains(python::strip(end)));
    let Some(at) = at else {
        return Err(invalid("continue_final_message: the template leaves the last message out or changes it"));
    };
    let keeps_spaces = text[at..].starts_with(TAG);
    text.truncate(at);
    if !keeps_spaces {
        text.truncate(text.trim_end().len());
    }
    Ok(text)
}
