//! The fields of a request, read strictly: each is taken once, and one that nobody took is refused.
use serde_json::{Map, Value};

use crate::problem::Problem;

pub type Result<T, E = Problem> = std::result::Result<T, E>;

pub struct Fields(Map<String, Value>);

impl Fields {
    pub fn parse(body: &[u8]) -> Result<Self> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(map)) => Ok(Self(map)),
            Ok(_) => Err(Problem::bad("the body is no JSON object")),
            Err(error) => Err(Problem::bad(format!("the body is no JSON object: {error}"))),
        }
    }

    /// None where it is not given or null.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    fn read<T>(&mut self, name: &str, what: &str, read: impl FnOnce(&Value) -> Option<T>) -> Result<Option<T>> {
        let Some(value) = self.take(name) else { return Ok(None) };
        read(&value).map(Some).ok_or_else(|| Problem::field(name, format_args!("{value} is no {what}")))
    }

    pub fn text(&mut self, name: &str) -> Result<Option<String>> {
        self.read(name, "text", |value| value.as_str().map(String::from))
    }

    pub fn flag(&mut self, name: &str) -> Result<bool> {
        Ok(self.read(name, "truth value", Value::as_bool)?.unwrap_or(false))
    }

    pub fn integer(&mut self, name: &str, low: i64, high: i64) -> Result<Option<i64>> {
        let number = self.read(name, "whole number", Value::as_i64)?;
        within(name, number, low, high)
    }

    pub fn number(&mut self, name: &str, low: f64, high: f64) -> Result<Option<f64>> {
        let number = self.read(name, "number", Value::as_f64)?;
        within(name, number, low, high)
    }

    pub fn object(&mut self, name: &str) -> Result<Option<Map<String, Value>>> {
        self.read(name, "object", |value| value.as_object().cloned())
    }

    pub fn array(&mut self, name: &str) -> Result<Option<Vec<Value>>> {
        self.read(name, "array", |value| value.as_array().cloned())
    }

    /// Refuses what was not taken.
    pub fn end(self) -> Result<()> {
        match self.0.keys().next() {
            Some(name) => Err(Problem::field(name, "not known or not supported")),
            None => Ok(()),
        }
    }
}

fn within<T: PartialOrd + std::fmt::Display>(name: &str, number: Option<T>, low: T, high: T) -> Result<Option<T>> {
    match number {
        Some(number) if number < low || number > high => {
            Err(Problem::field(name, format_args!("{number} is not between {low} and {high}")))
        }
        other => Ok(other),
    }
}

/// Of whole numbers alone.
pub fn integers(values: &[Value]) -> Option<Vec<i64>> {
    values.iter().map(Value::as_i64).collect()
}
