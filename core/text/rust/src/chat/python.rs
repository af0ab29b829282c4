//! Python's methods and notations, where templates see them and the engine has none or others.

use std::fmt::{self, Write};

use minijinja::value::{from_args, Kwargs, Tuple, ValueKind};
use minijinja::{Error, ErrorKind, State, Value};
use minijinja_contrib::pycompat;

/// Digits of a width in a format string: more than this is a demand for memory, not a layout.
const WIDTH_DIGITS: usize = 4;

/// As Python writes a float.
pub fn float_repr(value: f64) -> String {
    if value.is_nan() {
        return "nan".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.into();
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if value == 0.0 || (-4..16).contains(&exponent) {
        let plain = value.to_string();
        return if plain.contains('.') { plain } else { plain + ".0" };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// The whitespace that Python's strip takes away.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

pub fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

pub fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

/// Pays for bytes before they are made.
pub fn charge(state: &State, bytes: usize) -> Result<(), Error> {
    state.consume_fuel(bytes as u64 / 64)
}

/// A text that pays for its bytes as they come: one long string may be in a list many times.
pub struct Paid<'a, 'b, 'c> {
    state: &'a State<'b, 'c>,
    text: String,
    unpaid: usize,
}

impl<'a, 'b, 'c> Paid<'a, 'b, 'c> {
    pub fn new(state: &'a State<'b, 'c>) -> Self {
        Paid { state, text: String::new(), unpaid: 0 }
    }

    pub fn push(&mut self, text: &str) -> Result<(), Error> {
        self.unpaid += text.len();
        charge(self.state, self.unpaid)?;
        self.unpaid %= 64;
        self.text.push_str(text);
        Ok(())
    }

    pub fn push_value(&mut self, value: &Value) -> Result<(), Error> {
        match value.as_str() {
            Some(text) => self.push(text),
            // Whoever fails to pay here fails again at once.
            None => write!(self, "{value}").or_else(|_| self.state.consume_fuel(1)),
        }
    }

    pub fn into_value(self) -> Value {
        self.text.into()
    }
}

impl fmt::Write for Paid<'_, '_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text).map_err(|_| fmt::Error)
    }
}

/// The filter string.
pub fn string(state: &State, value: &Value) -> Result<Value, Error> {
    if value.as_str().is_some() {
        return Ok(value.clone());
    }
    let mut text = Paid::new(state);
    text.push_value(value)?;
    Ok(text.into_value())
}

/// The filter join.
pub fn join_filter(state: &State, values: &Value, by: Option<String>, kwargs: Kwargs) -> Result<Value, Error> {
    let by = by.or(kwargs.get("d")?).unwrap_or_default();
    let attribute = kwargs.get::<Option<Value>>("attribute")?;
    kwargs.assert_all_used()?;
    let mut text = Paid::new(state);
    for (number, value) in values.try_iter()?.enumerate() {
        state.consume_fuel(1)?;
        if number > 0 {
            text.push(&by)?;
        }
        match &attribute {
            Some(name) => text.push_value(&value.get_item(name)?)?,
            None => text.push_value(&value)?,
        }
    }
    Ok(text.into_value())
}

pub fn call_method(state: &mut State, value: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    if value.kind() == ValueKind::String {
        if let Some(text) = value.as_str() {
            if let Some(result) = string_method(state, text, method, args) {
                return result;
            }
        }
    }
    pycompat::unknown_method_callback(state, value, method, args)
}

/// None for a method that pycompat has and does well.
fn string_method(state: &State, text: &str, method: &str, args: &[Value]) -> Option<Result<Value, Error>> {
    match method {
        "strip" if args.is_empty() => Some(Ok(strip(text).into())),
        "lstrip" if args.is_empty() => Some(Ok(text.trim_start_matches(is_space).into())),
        "rstrip" if args.is_empty() => Some(Ok(text.trim_end_matches(is_space).into())),
        "removeprefix" => Some(one(args).map(|x| text.strip_prefix(x).unwrap_or(text).into())),
        "removesuffix" => Some(one(args).map(|x| text.strip_suffix(x).unwrap_or(text).into())),
        "partition" => Some(one(args).map(|x| triple(text, text.split_once(x), x, true))),
        "rpartition" => Some(one(args).map(|x| triple(text, text.rsplit_once(x), x, false))),
        "rsplit" => Some(rsplit(text, args)),
        "index" | "rindex" => Some(index(text, args, method == "index")),
        "join" => Some(join(state, text, args)),
        "format" if has_wide_field(text) => Some(Err(invalid("format: a field is wider than 9999 characters"))),
        _ => None,
    }
}

fn one(args: &[Value]) -> Result<&str, Error> {
    let (text,): (&str,) = from_args(args)?;
    Ok(text)
}

fn triple(text: &str, parts: Option<(&str, &str)>, separator: &str, text_first: bool) -> Value {
    let parts = match parts {
        Some((head, tail)) => [head, separator, tail],
        None if text_first => [text, "", ""],
        None => ["", "", text],
    };
    Value::from(Tuple::from(parts.map(Value::from)))
}

fn rsplit(text: &str, args: &[Value]) -> Result<Value, Error> {
    let (separator, most): (Option<&str>, Option<i64>) = from_args(args)?;
    let most = most.and_then(|n| usize::try_from(n).ok());
    let mut parts: Vec<&str> = match (separator, most) {
        (None, None) => return Ok(Value::from_iter(text.split(is_space).filter(|part| !part.is_empty()))),
        (None, Some(_)) => return Err(invalid("rsplit: a limit needs a separator here")),
        (Some(""), _) => return Err(invalid("rsplit: empty separator")),
        (Some(separator), None) => text.rsplit(separator).collect(),
        (Some(separator), Some(n)) => text.rsplitn(n.saturating_add(1), separator).collect(),
    };
    parts.reverse();
    Ok(Value::from_iter(parts))
}

fn index(text: &str, args: &[Value], first: bool) -> Result<Value, Error> {
    let what = one(args)?;
    let at = if first { text.find(what) } else { text.rfind(what) };
    at.map(|at| Value::from(text[..at].chars().count())).ok_or_else(|| invalid("substring not found"))
}

fn join(state: &State, separator: &str, args: &[Value]) -> Result<Value, Error> {
    let (values,): (&Value,) = from_args(args)?;
    let mut text = Paid::new(state);
    for (number, value) in values.try_iter()?.enumerate() {
        let Some(item) = value.as_str() else {
            return Err(invalid(format!("join: item {number} is {}, expected a string", value.kind())));
        };
        state.consume_fuel(1)?;
        if number > 0 {
            text.push(separator)?;
        }
        text.push(item)?;
    }
    Ok(text.into_value())
}

fn has_wide_field(format: &str) -> bool {
    let mut digits = 0;
    format.bytes().any(|byte| {
        digits = if byte.is_ascii_digit() { digits + 1 } else { 0 };
        digits > WIDTH_DIGITS
    })
}
