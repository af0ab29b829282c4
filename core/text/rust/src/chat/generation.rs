//! `{% generation %}` marks what the assistant wrote, for training. Here it is a scope of its own and nothing else.

/// The template with each `generation` block turned into a `with` block, which has the same scope and keeps the tag's
/// own whitespace control. Comments, strings and raw blocks stay as they are.
pub fn without_generation(template: &str) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    let mut raw = false;
    while let Some(at) = rest.find('{') {
        let tag = &rest[at..];
        let end = match tag.as_bytes().get(1) {
            Some(b'#') if !raw => tag.find("#}").map_or(tag.len(), |end| end + 2),
            Some(b'{') if !raw => end_of_code(tag, "}}"),
            Some(b'%') => end_of_code(tag, "%}"),
            _ => 1,
        };
        out.push_str(&rest[..at]);
        let whole = &tag[..end];
        let word = if whole.starts_with("{%") { name_of(whole) } else { "" };
        match word {
            "raw" if !raw => raw = true,
            "endraw" => raw = false,
            _ => {}
        }
        match word {
            "generation" if !raw => out.push_str(&whole.replacen(word, "with graft_generation_ = none", 1)),
            "endgeneration" if !raw => out.push_str(&whole.replacen(word, "endwith", 1)),
            _ if raw && word.is_empty() && end > 1 => {
                // Inside raw only its end is a tag; go on behind the first character.
                out.push('{');
                rest = &tag[1..];
                continue;
            }
            _ => out.push_str(whole),
        }
        rest = &tag[end..];
    }
    out.push_str(rest);
    out
}

/// The name of a `{% name ... %}` tag.
fn name_of(tag: &str) -> &str {
    let inner = tag[2..].trim_start_matches(['-', '+']).trim_start();
    let end = inner.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(inner.len());
    &inner[..end]
}

/// Where the code that `tag` starts with ends; a closing mark inside a string does not count.
fn end_of_code(tag: &str, close: &str) -> usize {
    let bytes = tag.as_bytes();
    let mut quote = None;
    let mut at = 2;
    while at < bytes.len() {
        match (quote, bytes[at]) {
            (Some(_), b'\\') => at += 1,
            (Some(q), byte) if q == byte => quote = None,
            (None, byte @ (b'"' | b'\'')) => quote = Some(byte),
            (None, _) if bytes[at..].starts_with(close.as_bytes()) => return at + 2,
            _ => {}
        }
        at += 1;
    }
    tag.len()
}
