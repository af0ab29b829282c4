//! The table's escapes and the values of a case.
use std::collections::HashMap;

/// A case's values, escapes and directories written out.
pub struct Case {
    pub name: String,
    pub kind: String,
    values: HashMap<String, String>,
}

impl Case {
    /// Of one line of the table; None for an empty one or a remark.
    pub fn parse(line: &str, directories: &[(&str, String)]) -> Option<Self> {
        if line.is_empty() || line.starts_with('#') {
            return None;
        }
        let mut parts = line.split('\t');
        let (name, kind) = (parts.next()?.into(), parts.next()?.into());
        let values = parts.map(|pair| {
            let (key, value) = pair.split_once('=').expect("key=value");
            let mut value = unescaped(value);
            for (name, path) in directories {
                value = value.replace(name, path);
            }
            (key.to_owned(), value)
        });
        Some(Self { name, kind, values: values.collect() })
    }

    pub fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str)
    }

    pub fn text(&self, key: &str) -> &str {
        self.get(key).unwrap_or_default()
    }

    pub fn number(&self, key: &str, otherwise: i64) -> i64 {
        self.get(key).map_or(otherwise, |text| text.parse().expect(key))
    }

    pub fn numbers(&self, key: &str) -> Vec<i64> {
        self.text(key).split_whitespace().map(|word| word.parse().expect(key)).collect()
    }
}

fn unescaped(text: &str) -> String {
    let mut letters = text.chars();
    let mut made = String::new();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            made.push(letter);
            continue;
        }
        made.push(match letters.next() {
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('0') => '\0',
            Some('\\') => '\\',
            Some('u') => {
                let code: String = letters.by_ref().skip(1).take_while(|letter| *letter != '}').collect();
                u32::from_str_radix(&code, 16).ok().and_then(char::from_u32).expect("a character's number")
            }
            other => panic!("no escape: \\{other:?}"),
        });
    }
    made
}

pub fn escaped(text: &str) -> String {
    let mut made = String::new();
    for letter in text.chars() {
        match letter {
            '\\' => made.push_str("\\\\"),
            '\n' => made.push_str("\\n"),
            '\r' => made.push_str("\\r"),
            '\t' => made.push_str("\\t"),
            '\0' => made.push_str("\\0"),
            other => made.push(other),
        }
    }
    made
}

pub fn joined(numbers: &[i64]) -> String {
    numbers.iter().map(i64::to_string).collect::<Vec<_>>().join(" ")
}
