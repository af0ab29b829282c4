//! `tojson` as Transformers has it: Python's json.dumps with ensure_ascii=False, and no escapes for HTML.

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Error, State, Value};

use super::limits::JSON_DEPTH;
use super::python::{charge, float_repr, invalid};

struct Writer<'a, 'b, 'c> {
    state: &'a State<'b, 'c>,
    out: String,
    ensure_ascii: bool,
    indent: Option<String>,
    item_separator: String,
    key_separator: String,
    sort_keys: bool,
}

pub fn tojson(state: &State, value: &Value, ascii: Option<bool>, kwargs: Kwargs) -> Result<Value, Error> {
    let indent = match kwargs.get::<Option<Value>>("indent")? {
        Some(text) if text.kind() == ValueKind::String => Some(text.to_string()),
        Some(count) if !count.is_none() => {
            let count = i64::try_from(count)?;
            if count > 1000 {
                return Err(invalid(format!("tojson: indent {count}, expected at most 1000")));
            }
            Some(" ".repeat(count.max(0) as usize))
        }
        _ => None,
    };
    let separators = match kwargs.get::<Option<Value>>("separators")? {
        Some(pair) if !pair.is_none() => {
            let pair: Vec<String> = pair.try_iter()?.map(|text| text.to_string()).collect();
            <[String; 2]>::try_from(pair).map_err(|_| invalid("tojson: separators has not two items"))?
        }
        _ if indent.is_some() => [",".into(), ": ".into()],
        _ => [", ".into(), ": ".into()],
    };
    let [item_separator, key_separator] = separators;
    let ensure_ascii = ascii.or(kwargs.get("ensure_ascii")?).unwrap_or(false);
    let sort_keys = kwargs.get::<Option<bool>>("sort_keys")?.unwrap_or(false);
    kwargs.assert_all_used()?;
    let out = String::new();
    let mut writer = Writer { state, out, ensure_ascii, indent, item_separator, key_separator, sort_keys };
    writer.value(value, 0)?;
    Ok(writer.out.into())
}

impl Writer<'_, '_, '_> {
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        if depth > JSON_DEPTH {
            return Err(invalid(format!("tojson: more than {JSON_DEPTH} levels")));
        }
        self.state.consume_fuel(1)?;
        match value.kind() {
            ValueKind::String => self.string(value.as_str().unwrap_or_default()),
            ValueKind::Seq | ValueKind::Iterable => self.list(value, depth),
            ValueKind::Map => self.mapping(value, depth),
            _ => {
                let text = scalar(value)?;
                self.push(&text)
            }
        }
    }

    fn push(&mut self, text: &str) -> Result<(), Error> {
        charge(self.state, text.len())?;
        self.out.push_str(text);
        Ok(())
    }

    /// What stands before an item (`count` have been written), or before the closing bracket.
    fn break_line(&mut self, depth: usize) -> Result<(), Error> {
        let Some(indent) = &self.indent else { return Ok(()) };
        charge(self.state, indent.len() * depth)?;
        self.out.push('\n');
        for _ in 0..depth {
            self.out.push_str(indent);
        }
        Ok(())
    }

    fn start_item(&mut self, count: usize, depth: usize) -> Result<(), Error> {
        if count > 0 {
            charge(self.state, self.item_separator.len())?;
            self.out.push_str(&self.item_separator);
        }
        self.break_line(depth)
    }

    fn list(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        self.push("[")?;
        let mut count = 0;
        for item in value.try_iter()? {
            self.start_item(count, depth + 1)?;
            self.value(&item, depth + 1)?;
            count += 1;
        }
        if count > 0 {
            self.break_line(depth)?;
        }
        self.push("]")
    }

    fn mapping(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        let mut keys: Vec<Value> = value.try_iter()?.collect();
        if self.sort_keys {
            keys.sort();
        }
        self.push("{")?;
        for (count, key) in keys.iter().enumerate() {
            self.start_item(count, depth + 1)?;
            match key.as_str() {
                Some(text) => self.string(text)?,
                None => self.string(&scalar(key)?)?,
            }
            charge(self.state, self.key_separator.len())?;
            self.out.push_str(&self.key_separator);
            self.value(&value.get_item(key)?, depth + 1)?;
        }
        if !keys.is_empty() {
            self.break_line(depth)?;
        }
        self.push("}")
    }

    fn string(&mut self, text: &str) -> Result<(), Error> {
        charge(self.state, text.len())?;
        self.out.push('"');
        for c in text.chars() {
            match c {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\x08' => self.out.push_str("\\b"),
                '\x0c' => self.out.push_str("\\f"),
                c if c < ' ' || (self.ensure_ascii && c > '~') => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        self.out.push_str(&format!("\\u{unit:04x}"));
                    }
                }
                c => self.out.push(c),
            }
        }
        self.out.push('"');
        Ok(())
    }
}

fn scalar(value: &Value) -> Result<String, Error> {
    match value.kind() {
        ValueKind::None => Ok("null".into()),
        ValueKind::Bool => Ok(if value.is_true() { "true" } else { "false" }.into()),
        ValueKind::Number if value.is_integer() => Ok(value.to_string()),
        ValueKind::Number => Ok(match f64::try_from(value.clone())? {
            v if v.is_nan() => "NaN".into(),
            v if v.is_infinite() => if v > 0.0 { "Infinity" } else { "-Infinity" }.into(),
            v => float_repr(v),
        }),
        kind => Err(invalid(format!("tojson: a value of type {kind} cannot be written as JSON"))),
    }
}
