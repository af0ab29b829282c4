//! One number of a JSON object that the library has found right. The library tells nobody how many answers a request's
//! options ask for, and who counts the ends of answers in a queue must know.

/// The integer that the object has under `key`, the last if it has several.
pub(crate) fn top_level_integer(json: &str, key: &str) -> Option<i64> {
    let bytes = json.as_bytes();
    let (mut at, mut depth, mut found) = (0, 0, None);
    while at < bytes.len() {
        match bytes[at] {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            b'"' => {
                let begin = at + 1;
                at = begin;
                while at < bytes.len() && bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                let rest = json.get(at + 1..).unwrap_or_default().trim_start();
                if depth == 1 && json.get(begin..at).is_some_and(|text| is_key(text, key)) {
                    let value = rest.strip_prefix(':').map(str::trim_start);
                    found = value.and_then(integer).or(found);
                }
            }
            _ => {}
        }
        at += 1;
    }
    found
}

fn integer(text: &str) -> Option<i64> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

/// Whether a string of JSON, escapes and all, is this word of ASCII.
fn is_key(text: &str, key: &str) -> bool {
    let mut rest = text;
    for letter in key.chars() {
        let escaped = rest.strip_prefix("\\u").and_then(|code| code.get(..4));
        if rest.starts_with(letter) {
            rest = &rest[1..];
        } else if escaped.and_then(|code| u32::from_str_radix(code, 16).ok()) == Some(letter.into()) {
            rest = &rest[6..];
        } else {
            return false;
        }
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::top_level_integer;

    #[test]
    fn numbers_are_found_where_they_count() {
        let of = |json| top_level_integer(json, "num_sequences");
        assert_eq!(of(r#"{"num_sequences": 3}"#), Some(3));
        assert_eq!(of(r#"{"a":"\"num_sequences\":7","num_sequences" :4,"b":[1]}"#), Some(4));
        assert_eq!(of(r#"{"a":{"num_sequences": 3}}"#), None);
        assert_eq!(of(r#"{"stop":["num_sequences"],"seed":1}"#), None);
        assert_eq!(of(r#"{"num_sequences":2,"num\u005fsequences":5}"#), Some(5));
        assert_eq!(of(r#"{"stop":"num_sequences"}"#), None);
        assert_eq!(of("{\"stop\":\"\\"), None);
    }
}
