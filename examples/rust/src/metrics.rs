//! What is counted, in Prometheus' text format; tests/service/README.md lists the names.
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use crate::model::Model;

#[derive(Default)]
pub struct Metrics {
    answers: Mutex<BTreeMap<(String, u16), i64>>,
    pub cancelled: AtomicI64,
    pub prompt: AtomicI64,
    pub completion: AtomicI64,
}

impl Metrics {
    pub fn answered(&self, path: &str, code: u16) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        *answers.entry((path.into(), code)).or_default() += 1;
    }

    pub fn write<'a>(&self, models: impl Iterator<Item = &'a Model>) -> String {
        let mut text = String::new();
        let mut family = |name: &str, kind: &str, help: &str, lines: &[(String, i64)]| {
            // writing to a String does not fail
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for (labels, value) in lines {
                let _ = writeln!(text, "{name}{labels} {value}");
            }
        };
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = answers.iter().map(|((path, code), count)| (format!(r#"{{path="{path}",code="{code}"}}"#), *count));
        let lines: Vec<_> = lines.collect();
        drop(answers);
        family("graft_http_requests_total", "counter", "Answers by path and code; code 0: its client left.", &lines);
        for (name, count, help) in [
            ("cancelled", &self.cancelled, "Requests whose client left before the answer was complete."),
            ("prompt", &self.prompt, "Prompt tokens of complete answers."),
            ("completion", &self.completion, "Generated tokens of complete answers."),
        ] {
            let name = if name == "cancelled" { "http_cancelled".into() } else { format!("{name}_tokens") };
            let line = (String::new(), count.load(Ordering::Relaxed));
            family(&format!("graft_{name}_total"), "counter", help, &[line]);
        }
        let stats: Vec<(&str, Value)> = models
            .filter_map(|model| Some((model.name.as_str(), serde_json::from_str(&model.engine.stats().ok()?).ok()?)))
            .collect();
        for (name, kind, key, help) in [
            ("graft_requests_waiting", "gauge", "requests_waiting", "Requests that wait for room in the engine."),
            ("graft_sequences_running", "gauge", "sequences_running", "Sequences that the engine works on."),
            ("graft_steps_total", "counter", "steps", "Steps of the engine."),
            ("graft_tokens_computed_total", "counter", "tokens_computed", "Tokens that went through the engine."),
        ] {
            let line = |(model, found): &(&str, Value)| {
                (format!("{{model={}}}", Value::from(*model)), found[key].as_i64().unwrap_or(0))
            };
            family(name, kind, help, &stats.iter().map(line).collect::<Vec<_>>());
        }
        text
    }
}
