//! Opening, encoding and decoding.

use std::sync::Arc;

use serde_json::Value;
use tokenizers::models::ModelWrapper;
use tokenizers::{Decoder, Model, PostProcessor, TruncationDirection};

use crate::failure::{Failure, Result, Status};
use crate::guard;
use crate::limits;
use crate::prescan::check_strings;
use crate::stages::Plan;
use crate::uncached::without_cache;

/// Immutable after `open`.
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    /// How the decoder works token by token.
    pub plan: Plan,
    pub vocab_size: usize,
    /// One more than the largest id.
    pub id_bound: u64,
    /// Bytes that normaliser and post-processor can make of one byte, but for Unicode's own decompositions.
    growth: usize,
}

impl Tokenizer {
    /// From the content of tokenizer.json, on a thread with a stack that is deep enough for whatever the file nests.
    pub fn open(json: &[u8]) -> Result<Arc<Tokenizer>> {
        if json.len() > limits::FILE_BYTES {
            let message = format!("{} bytes, a tokenizer.json has at most {}", json.len(), limits::FILE_BYTES);
            return Err(Failure::new(Status::LimitExceeded, message));
        }
        limits::ensure_memory(json.len(), limits::MEMORY_PER_FILE_BYTE)?;
        std::thread::scope(|scope| {
            let worker = std::thread::Builder::new()
                .name("graft-text-open".into())
                .stack_size(limits::OPEN_STACK_BYTES)
                .spawn_scoped(scope, || guard::run(|| Self::open_here(json)))
                .map_err(|e| Failure::new(Status::OutOfMemory, format!("no thread to open the tokenizer: {e}")))?;
            worker.join().unwrap_or_else(|_| Err(Failure::new(Status::Internal, "the opening thread failed")))
        })
    }

    fn open_here(json: &[u8]) -> Result<Arc<Tokenizer>> {
        // Encoding must never start the crate's own thread pool inside a host.
        tokenizers::parallelism::set_parallelism(false);
        check_strings(json)?;
        let mut inner = parse(json)?;
        check_model(inner.get_model())?;
        if let ModelWrapper::BPE(cached) = inner.get_model() {
            let model = without_cache(cached, json)?;
            inner.with_model(model);
        }
        // As Transformers does: truncation and padding are the caller's business, not the file's.
        inner.with_padding(None);
        inner
            .with_truncation(None)
            .map_err(|e| Failure::new(Status::Internal, format!("truncation cannot be switched off: {e}")))?;
        check_templates(&as_value(serde_json::to_value(inner.get_post_processor()))?)?;
        let growth = growth_of(&inner)?;
        let plan = Plan::new(inner.get_decoder())?;
        let vocab_size = inner.get_vocab_size(true);
        let id_bound = inner.get_vocab(true).values().max().map_or(0, |&id| u64::from(id) + 1);
        Ok(Arc::new(Tokenizer { inner, plan, vocab_size, id_bound, growth }))
    }

    /// `max_tokens`: as many ids are kept, special ones included; 0 keeps all.
    pub fn encode(&self, text: &str, add_special: bool, max_tokens: usize) -> Result<Vec<u32>> {
        let added = match self.inner.get_post_processor() {
            Some(processor) if add_special => processor.added_tokens(false),
            _ => 0,
        };
        if max_tokens > 0 && max_tokens < added {
            let message = format!("max_tokens is {max_tokens}, this tokenizer adds {added} special tokens to a text");
            return Err(Failure::new(Status::InvalidArgument, message));
        }
        if text.len() > limits::TEXT_BYTES {
            let message = format!("text of {} bytes, at most {} in one call", text.len(), limits::TEXT_BYTES);
            return Err(Failure::new(Status::LimitExceeded, message));
        }
        if text.len().checked_mul(self.growth).is_none_or(|bytes| bytes > limits::NORMALIZED_BYTES) {
            let message = format!(
                "text of {} bytes, which this tokenizer's normaliser and post-processor may make {} times as long; \
                 at most {} bytes after that",
                text.len(),
                self.growth,
                limits::NORMALIZED_BYTES
            );
            return Err(Failure::new(Status::LimitExceeded, message));
        }
        let normalized_bytes = limits::MEMORY_PER_NORMALIZED_BYTE.saturating_mul(self.growth);
        limits::ensure_memory(text.len(), normalized_bytes.max(limits::MEMORY_PER_TEXT_BYTE))?;
        let failed = |e| Failure::new(Status::Unsupported, format!("this text cannot be encoded: {e}"));
        if max_tokens == 0 {
            return Ok(self.inner.encode_fast(text, add_special).map_err(failed)?.get_ids().to_vec());
        }
        // Without special tokens no post-processor changes ids, so that it may see the shortened text once more.
        let mut encoding = self.inner.encode_fast(text, false).map_err(failed)?;
        encoding.truncate(max_tokens - added, 0, TruncationDirection::Right);
        if add_special {
            encoding = self.inner.post_process(encoding, None, true).map_err(failed)?;
        }
        Ok(encoding.get_ids().to_vec())
    }

    /// The same steps as the crate's own `decode`, with a limit on the size.
    pub fn decode(&self, ids: &[u32], skip_special: bool) -> Result<String> {
        if ids.len() > limits::DECODE_IDS {
            let message = format!("{} ids, at most {} in one call", ids.len(), limits::DECODE_IDS);
            return Err(Failure::new(Status::LimitExceeded, message));
        }
        limits::ensure_memory(ids.len(), limits::MEMORY_PER_ID)?;
        let mut bytes = 0usize;
        let mut tokens = Vec::with_capacity(ids.len());
        for &id in ids {
            if let Some(token) = self.token(id, skip_special) {
                bytes = bytes.saturating_add(token.len());
                if bytes > limits::DECODE_BYTES {
                    let message = format!("the tokens make more than {} bytes", limits::DECODE_BYTES);
                    return Err(Failure::new(Status::LimitExceeded, message));
                }
                tokens.push(token);
            }
        }
        match self.inner.get_decoder() {
            // Some decoders count back from the last token, which must be there.
            Some(decoder) if !tokens.is_empty() => decoder
                .decode(tokens)
                .map_err(|e| Failure::new(Status::Unsupported, format!("these ids cannot be decoded: {e}"))),
            _ => Ok(tokens.join(" ")),
        }
    }

    /// The token that decoding sees; None for an id that the vocabulary leaves out and for a skipped special token.
    pub fn token(&self, id: u32, skip_special: bool) -> Option<String> {
        let token = self.inner.id_to_token(id)?;
        if skip_special && self.inner.get_added_vocabulary().is_special_token(&token) {
            return None;
        }
        Some(token)
    }

    pub fn id_of(&self, piece: &str) -> Option<u32> {
        self.inner.token_to_id(piece)
    }
}

fn parse(json: &[u8]) -> Result<tokenizers::Tokenizer> {
    // The parser unwraps in a few places that only a broken file reaches; to the caller that is a broken file too.
    let parsed = guard::run(|| {
        serde_json::from_slice(json)
            .map_err(|e| Failure::new(Status::CorruptData, format!("not a valid tokenizer.json: {e}")))
    });
    parsed.map_err(|failure| match failure.status {
        Status::Internal => {
            Failure::new(Status::CorruptData, format!("not a valid tokenizer.json: {}", failure.message))
        }
        _ => failure,
    })
}

fn check_model(model: &ModelWrapper) -> Result<()> {
    match model {
        ModelWrapper::Unigram(unigram) => {
            let longest = unigram.iter().map(|(piece, _)| piece.len()).max().unwrap_or(0);
            if longest > limits::UNIGRAM_PIECE_BYTES {
                let message = format!(
                    "model.vocab: a Unigram piece of {longest} bytes, at most {} are supported",
                    limits::UNIGRAM_PIECE_BYTES
                );
                return Err(Failure::new(Status::Unsupported, message));
            }
        }
        ModelWrapper::WordPiece(wordpiece) if wordpiece.max_input_chars_per_word > limits::WORDPIECE_CHARS => {
            let message = format!(
                "model.max_input_chars_per_word: {}, at most {} are supported",
                wordpiece.max_input_chars_per_word,
                limits::WORDPIECE_CHARS
            );
            return Err(Failure::new(Status::Unsupported, message));
        }
        _ => {}
    }
    if model.get_vocab_size() == 0 {
        return Err(Failure::new(Status::CorruptData, "model.vocab: empty"));
    }
    Ok(())
}

/// A part's settings, as the file would write them.
fn as_value(part: serde_json::Result<Value>) -> Result<Value> {
    part.map_err(|e| Failure::new(Status::Internal, format!("settings cannot be read back: {e}")))
}

/// A template may name only tokens that its special_tokens describe: the crate looks them up unchecked.
fn check_templates(part: &Value) -> Result<()> {
    let nested = match part {
        Value::Object(fields) => {
            if let (Some(Value::String(kind)), Some(Value::Object(known))) =
                (fields.get("type"), fields.get("special_tokens"))
            {
                if kind == "TemplateProcessing" {
                    check_template(fields.get("single"), known)?;
                    check_template(fields.get("pair"), known)?;
                }
            }
            fields.values().collect::<Vec<_>>()
        }
        Value::Array(parts) => parts.iter().collect(),
        _ => Vec::new(),
    };
    nested.into_iter().try_for_each(check_templates)
}

fn check_template(pieces: Option<&Value>, known: &serde_json::Map<String, Value>) -> Result<()> {
    for piece in pieces.and_then(Value::as_array).into_iter().flatten() {
        let id = piece.get("SpecialToken").and_then(|token| token.get("id")).and_then(Value::as_str);
        if let Some(id) = id.filter(|&id| !known.contains_key(id)) {
            let message = format!("post_processor: a template names '{id}', which its special_tokens lack");
            return Err(Failure::new(Status::CorruptData, message));
        }
    }
    Ok(())
}

/// An upper bound of how many times longer a text can become, from the settings of normaliser, pre-tokenizer and
/// post-processor.
fn growth_of(tokenizer: &tokenizers::Tokenizer) -> Result<usize> {
    let normalizer = as_value(serde_json::to_value(tokenizer.get_normalizer()))?;
    let pre_tokenizer = as_value(serde_json::to_value(tokenizer.get_pre_tokenizer()))?;
    let post_processor = as_value(serde_json::to_value(tokenizer.get_post_processor()))?;
    Ok(replacement_growth(&normalizer)
        .saturating_mul(replacement_growth(&pre_tokenizer))
        .saturating_mul(copies(&post_processor).max(1)))
}

/// The product over all `Replace` steps of the length of what they put in.
fn replacement_growth(part: &Value) -> usize {
    match part {
        Value::Object(fields) => {
            let own = match (fields.get("type"), fields.get("content")) {
                (Some(Value::String(kind)), Some(Value::String(content))) if kind == "Replace" => content.len().max(1),
                _ => 1,
            };
            fields.values().map(replacement_growth).fold(own, usize::saturating_mul)
        }
        Value::Array(parts) => parts.iter().map(replacement_growth).fold(1, usize::saturating_mul),
        _ => 1,
    }
}

/// How often a post-processor's template names a sequence.
fn copies(part: &Value) -> usize {
    match part {
        Value::Object(fields) => {
            let own = usize::from(fields.contains_key("Sequence"));
            fields.values().map(copies).fold(own, usize::saturating_add)
        }
        Value::Array(parts) => parts.iter().map(copies).fold(0, usize::saturating_add),
        _ => 0,
    }
}
