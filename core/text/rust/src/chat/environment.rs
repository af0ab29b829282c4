//! The template engine, set up as Transformers sets up Jinja: a sandbox with a budget.

use std::fmt;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::ValueKind;
use minijinja::{Environment, Error, ErrorKind, State, UndefinedBehavior, Value};
use minijinja_contrib::globals;

use super::clock::strftime_now;
use super::json::tojson;
use super::python::{call_method, float_repr, join_filter, string, strip};
use crate::failure::{Failure, Result, Status};

/// What a template said with raise_exception.
#[derive(Debug)]
pub struct Raised(pub String);

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Raised {}

fn raise_exception(state: &State, message: &Value) -> std::result::Result<Value, Error> {
    let raised = Raised(string(state, message)?.to_string());
    Err(Error::new(ErrorKind::InvalidOperation, "raise_exception").with_source(raised))
}

pub fn environment(fuel: u64) -> Result<Environment<'static>> {
    let mut env = Environment::new();
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    env.set_syntax(syntax.map_err(|e| Failure::new(Status::Internal, format!("template syntax: {e}")))?);
    env.set_undefined_behavior(UndefinedBehavior::Lenient);
    env.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    env.set_debug(false);
    env.set_fuel(Some(fuel));
    env.set_unknown_method_callback(call_method);
    env.set_formatter(|out, state, value| match value.kind() {
        ValueKind::Number if !value.is_integer() => {
            let number = float_repr(f64::try_from(value.clone())?);
            out.write_str(&number).map_err(Error::from)
        }
        _ => minijinja::escape_formatter(out, state, value),
    });
    env.add_filter("tojson", tojson);
    env.add_filter("string", string);
    env.add_filter("join", join_filter);
    env.add_filter("trim", |text: String, chars: Option<String>| match chars {
        None => strip(&text).to_string(),
        Some(chars) => text.trim_matches(|c| chars.contains(c)).to_string(),
    });
    env.add_function("raise_exception", raise_exception);
    env.add_function("strftime_now", strftime_now);
    env.add_function("cycler", globals::cycler);
    env.add_function("joiner", globals::joiner);
    // What has a length and can be indexed or iterated over, in Python's eyes.
    env.add_test("sequence", |value: &Value| is_container(value));
    env.add_test("iterable", |value: &Value| is_container(value));
    Ok(env)
}

fn is_container(value: &Value) -> bool {
    use ValueKind::{Iterable, Map, Seq, String, Undefined};
    matches!(value.kind(), String | Seq | Map | Iterable | Undefined)
}
