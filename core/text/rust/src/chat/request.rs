//! What is to be rendered: the model's templates, the messages and the options.

use minijinja::value::ValueKind;
use minijinja::Value;

use super::limits::{JSON_BYTES, TEMPLATE_BYTES};
use crate::failure::{Failure, Result, Status};

pub fn invalid(message: impl Into<String>) -> Failure {
    Failure::new(Status::InvalidArgument, message)
}

/// A mapping in the order in which it was filled.
#[derive(Clone, Default)]
pub struct Mapping(Vec<(Value, Value)>);

impl Mapping {
    pub fn of(value: &Value) -> Mapping {
        let keys = value.try_iter().into_iter().flatten();
        Mapping(keys.map(|key| (key.clone(), value.get_item(&key).unwrap_or_default())).collect())
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(key, _)| key.as_str() == Some(name)).map(|(_, value)| value)
    }

    pub fn set(&mut self, name: &str, value: Value) {
        match self.0.iter_mut().find(|(key, _)| key.as_str() == Some(name)) {
            Some(entry) => entry.1 = value,
            None => self.0.push((name.into(), value)),
        }
    }

    pub fn take(&mut self, name: &str) -> Option<Value> {
        let at = self.0.iter().position(|(key, _)| key.as_str() == Some(name))?;
        Some(self.0.remove(at).1)
    }

    pub fn drop_none(&mut self) {
        self.0.retain(|(_, value)| !value.is_none());
    }

    pub fn extend(&mut self, other: Mapping) {
        for (key, value) in other.0 {
            match key.as_str() {
                Some(name) => self.set(name, value),
                None => self.0.push((key, value)),
            }
        }
    }

    pub fn into_value(self) -> Value {
        Value::from_pairs(self.0)
    }
}

pub fn parse(json: &str, name: &str) -> Result<Value> {
    if json.len() > JSON_BYTES {
        let message = format!("{name}: {} bytes of JSON, at most {JSON_BYTES}", json.len());
        return Err(Failure::new(Status::LimitExceeded, message));
    }
    serde_json::from_str(json).map_err(|e| invalid(format!("{name}: not valid JSON: {e}")))
}

fn flag(options: &mut Mapping, name: &str) -> Result<Option<bool>> {
    match options.take(name) {
        None => Ok(None),
        Some(value) if value.is_none() => Ok(None),
        Some(value) if value.kind() == ValueKind::Bool => Ok(Some(value.is_true())),
        Some(value) => Err(invalid(format!("options.{name} is {}, expected true or false", value.kind()))),
    }
}

/// An array of objects, or null.
fn objects(options: &mut Mapping, name: &str) -> Result<Value> {
    let value = options.take(name).unwrap_or(Value::from(()));
    if value.is_none() {
        return Ok(value);
    }
    check_objects(&value, &format!("options.{name}"))?;
    Ok(value)
}

fn check_objects(value: &Value, name: &str) -> Result<()> {
    if value.kind() != ValueKind::Seq {
        return Err(invalid(format!("{name}: found {}, expected an array of objects", value.kind())));
    }
    for (number, item) in value.try_iter().into_iter().flatten().enumerate() {
        if item.kind() != ValueKind::Map {
            return Err(invalid(format!("{name}[{number}]: found {}, expected an object", item.kind())));
        }
    }
    Ok(())
}

/// What Transformers calls a message's reasoning, the name that templates read first.
const REASONING: [&str; 3] = ["reasoning_content", "thinking", "reasoning"];

pub struct Request {
    pub template: String,
    /// Names the template in messages; empty where the model has one only.
    pub label: String,
    pub messages: Vec<Mapping>,
    /// The key of the last message that is to be continued.
    pub continued: Option<String>,
    pub variables: Mapping,
}

impl Request {
    pub fn read(setup: &str, messages: &str, options: &str) -> Result<Request> {
        let setup: Value = serde_json::from_str(setup)
            .map_err(|e| Failure::new(Status::Internal, format!("chat template setup: {e}")))?;
        let list = parse(messages, "messages")?;
        check_objects(&list, "messages")?;
        let messages: Vec<Mapping> = list.try_iter().into_iter().flatten().map(|m| message_of(&m)).collect();
        if messages.is_empty() {
            return Err(invalid("messages: no message, expected at least one"));
        }
        let options = if options.is_empty() { Value::from(()) } else { parse(options, "options")? };
        if !options.is_none() && options.kind() != ValueKind::Map {
            return Err(invalid(format!("options: found {}, expected an object", options.kind())));
        }
        let mut options = Mapping::of(&options);
        let continued = continued_of(&mut options)?;
        let prompt = flag(&mut options, "add_generation_prompt")?.unwrap_or(continued.is_none());
        if prompt && continued.is_some() {
            return Err(invalid("options: add_generation_prompt and continue_final_message exclude each other"));
        }
        let tools = objects(&mut options, "tools")?;
        let documents = objects(&mut options, "documents")?;
        let (template, label) = choose(&setup, options.take("chat_template"), !tools.is_none())?;
        if template.len() > TEMPLATE_BYTES {
            let message = format!("{label}a template of {} bytes, at most {TEMPLATE_BYTES}", template.len());
            return Err(Failure::new(Status::LimitExceeded, message));
        }
        let mut variables = Mapping::of(&attribute(&setup, "special"));
        variables.extend(options);
        variables.set("tools", tools);
        variables.set("documents", documents);
        variables.set("add_generation_prompt", prompt.into());
        Ok(Request { template, label, messages, continued, variables })
    }
}

/// Without null entries, and with the reasoning under every name it has.
fn message_of(message: &Value) -> Mapping {
    let mut message = Mapping::of(message);
    message.drop_none();
    if let Some(reasoning) = REASONING.iter().find_map(|name| message.get(name)).cloned() {
        if message.get("thinking").is_none() {
            message.0.insert(0, ("thinking".into(), reasoning.clone()));
        }
        message.set("reasoning_content", reasoning);
    }
    message
}

fn continued_of(options: &mut Mapping) -> Result<Option<String>> {
    match options.take("continue_final_message") {
        None => Ok(None),
        Some(value) => match (value.kind(), value.as_str()) {
            (ValueKind::None, _) => Ok(None),
            (ValueKind::Bool, _) => Ok(value.is_true().then(|| "content".into())),
            (_, Some(name)) => Ok(Some(name.into())),
            (kind, _) => Err(invalid(format!("options.continue_final_message is {kind}, expected true or false"))),
        },
    }
}

fn attribute(value: &Value, name: &str) -> Value {
    value.get_attr(name).unwrap_or_default()
}

/// As Transformers: an asked name, else an asked text, else "tool_use" for tools, else "default".
fn choose(setup: &Value, asked: Option<Value>, tools: bool) -> Result<(String, String)> {
    let templates = Mapping::of(&attribute(setup, "templates"));
    let named = |name: &str| templates.get(name).and_then(|t| t.as_str()).map(String::from);
    let many = templates.0.len() > 1 || templates.get("default").is_none();
    let label = |name: &str| if many { format!("template '{name}': ") } else { String::new() };
    if let Some(asked) = asked.filter(|value| !value.is_none()) {
        let Some(text) = asked.as_str() else {
            return Err(invalid(format!("options.chat_template is {}, expected a string", asked.kind())));
        };
        return match named(text) {
            Some(template) => Ok((template, label(text))),
            _ => Ok((text.into(), "options.chat_template: ".into())),
        };
    }
    for name in ["tool_use", "default"] {
        if let Some(template) = named(name).filter(|_| tools || name == "default") {
            return Ok((template, label(name)));
        }
    }
    let names: Vec<&str> = templates.0.iter().filter_map(|(name, _)| name.as_str()).collect();
    Err(match names.is_empty() {
        true => Failure::new(Status::Unsupported, "the model has no chat template"),
        false => {
            invalid(format!("the model has no default chat template; options.chat_template takes {}", names.join(", ")))
        }
    })
}

pub fn is_reasoning(name: &str) -> bool {
    REASONING.contains(&name)
}

pub fn reasoning_names() -> [&'static str; 3] {
    REASONING
}
