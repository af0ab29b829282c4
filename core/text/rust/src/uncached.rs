//! A BPE model without the crate's cache of words.
//!
//! The crate keeps that cache for each pair of thread and tokenizer, and what belongs to a tokenizer that is gone stays
//! until the thread ends. A host has hundreds of threads, they live long, and an emptied cache still leaves its place in
//! the thread's table. Only a builder that is given the capacity 0 makes a model that has none.

use serde::Deserialize;
use tokenizers::models::bpe::{BpeBuilder, Vocab, BPE};

use crate::failure::{Failure, Result, Status};

#[derive(Deserialize)]
struct File {
    model: Merged,
}

#[derive(Deserialize)]
struct Merged {
    merges: Merges,
}

/// Both ways in which files write them: `["a", "b"]`, and before version 0.20 of the crate `"a b"`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Merges {
    Pairs(Vec<(String, String)>),
    Lines(Vec<String>),
}

impl Merges {
    fn into_pairs(self) -> Result<Vec<(String, String)>> {
        match self {
            Merges::Pairs(pairs) => Ok(pairs),
            Merges::Lines(lines) => lines
                .iter()
                .filter(|line| !line.starts_with("#version"))
                .map(|line| match line.split_once(' ') {
                    Some((left, right)) if !right.contains(' ') => Ok((left.to_owned(), right.to_owned())),
                    _ => Err(corrupt(format!("'{line}' is not a pair"))),
                })
                .collect(),
        }
    }
}

/// The same model as `cached`, which was read from `json`, the whole tokenizer.json. A model does not give its merges
/// away, so they are read again.
pub fn without_cache(cached: &BPE, json: &[u8]) -> Result<BPE> {
    let file: File = serde_json::from_slice(json).map_err(corrupt)?;
    let mut builder = BpeBuilder::new()
        .cache_capacity(0)
        .vocab_and_merges(cached.get_vocab().into_iter().collect::<Vocab>(), file.model.merges.into_pairs()?)
        .fuse_unk(cached.fuse_unk)
        .byte_fallback(cached.byte_fallback)
        .ignore_merges(cached.ignore_merges);
    if let Some(dropout) = cached.dropout {
        builder = builder.dropout(dropout);
    }
    if let Some(token) = &cached.unk_token {
        builder = builder.unk_token(token.clone());
    }
    if let Some(prefix) = &cached.continuing_subword_prefix {
        builder = builder.continuing_subword_prefix(prefix.clone());
    }
    if let Some(suffix) = &cached.end_of_word_suffix {
        builder = builder.end_of_word_suffix(suffix.clone());
    }
    builder.build().map_err(corrupt)
}

fn corrupt(reason: impl std::fmt::Display) -> Failure {
    Failure::new(Status::CorruptData, format!("not a valid tokenizer.json: model.merges: {reason}"))
}

#[cfg(test)]
mod tests {
    use tokenizers::models::ModelWrapper;

    use super::*;

    fn read(model: &str) -> (BPE, Vec<u8>) {
        let json = format!(r#"{{"version":"1.0","model":{model}}}"#).into_bytes();
        match serde_json::from_str(model).expect("a model") {
            ModelWrapper::BPE(bpe) => (bpe, json),
            _ => panic!("not a BPE"),
        }
    }

    fn written(bpe: &BPE) -> String {
        serde_json::to_string(bpe).expect("a model as text")
    }

    #[test]
    fn every_setting_is_kept() {
        let (cached, json) = read(
            r###"{"type":"BPE","dropout":0.25,"unk_token":"<unk>","continuing_subword_prefix":"##",
                "end_of_word_suffix":"</w>","fuse_unk":true,"byte_fallback":true,"ignore_merges":true,
                "vocab":{"<unk>":0,"a":1,"##b":2,"ab":7},"merges":[["a","##b"]]}"###,
        );
        assert_eq!(written(&without_cache(&cached, &json).expect("built")), written(&cached));
    }

    #[test]
    fn merges_are_lines_in_old_files() {
        let (cached, json) = read(r##"{"vocab":{"a":0,"b":1,"ab":2},"merges":["#version: 0.2","a b"]}"##);
        assert_eq!(written(&without_cache(&cached, &json).expect("built")), written(&cached));
    }

    #[test]
    fn merges_given_twice_are_refused() {
        let (cached, _) = read(r#"{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":[["a","b"]]}"#);
        let json = br#"{"model":{"merges":[["a","b"]],"merges":[]}}"#;
        assert!(without_cache(&cached, json).expect_err("refused").message.contains("duplicate field"));
    }
}
