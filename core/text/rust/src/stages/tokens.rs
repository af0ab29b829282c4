//! Stages that work on whole tokens.

use std::sync::Arc;

use tokenizers::decoders::DecoderWrapper;

use super::{decode, Output, Stage};
use crate::failure::{Failure, Result, Status};
use crate::limits::DECODE_BYTES;

/// A tokenizer without decoder joins its tokens with spaces.
#[derive(Default)]
pub struct Spaces {
    started: bool,
}

impl Stage for Spaces {
    fn push(&mut self, token: String, output: &mut Output) -> Result<()> {
        output.push(if self.started { format!(" {token}") } else { token });
        self.started = true;
        Ok(())
    }

    fn finish(&mut self, _: &mut Output) -> Result<()> {
        Ok(())
    }
}

/// A decoder that treats every token alike (Replace, Strip).
pub struct EachAlike(pub Arc<DecoderWrapper>);

impl Stage for EachAlike {
    fn push(&mut self, token: String, output: &mut Output) -> Result<()> {
        output.extend(decode(&self.0, vec![token])?);
        Ok(())
    }

    fn finish(&mut self, _: &mut Output) -> Result<()> {
        Ok(())
    }
}

/// A decoder that treats the first token in another way (Metaspace, WordPiece).
pub struct FirstDiffers {
    decoder: Arc<DecoderWrapper>,
    started: bool,
}

impl FirstDiffers {
    pub fn new(decoder: Arc<DecoderWrapper>) -> Self {
        FirstDiffers { decoder, started: false }
    }
}

impl Stage for FirstDiffers {
    fn push(&mut self, token: String, output: &mut Output) -> Result<()> {
        if self.started {
            output.extend(decode(&self.decoder, vec![String::new(), token])?.into_iter().skip(1));
        } else {
            output.extend(decode(&self.decoder, vec![token])?);
        }
        self.started = true;
        Ok(())
    }

    fn finish(&mut self, _: &mut Output) -> Result<()> {
        Ok(())
    }
}

/// BPEDecoder: the suffix is a space, but nothing at the very end. A token with a suffix waits for the next one.
pub struct LastDiffers {
    decoder: Arc<DecoderWrapper>,
    suffix: String,
    held: Option<String>,
}

impl LastDiffers {
    pub fn new(decoder: Arc<DecoderWrapper>, suffix: String) -> Self {
        LastDiffers { decoder, suffix, held: None }
    }
}

impl Stage for LastDiffers {
    fn push(&mut self, token: String, output: &mut Output) -> Result<()> {
        if let Some(held) = self.held.take() {
            output.extend(decode(&self.decoder, vec![held, String::new()])?.into_iter().take(1));
        }
        if token.contains(&self.suffix) {
            self.held = Some(token);
        } else {
            output.push(token);
        }
        Ok(())
    }

    fn finish(&mut self, output: &mut Output) -> Result<()> {
        if let Some(held) = self.held.take() {
            output.extend(decode(&self.decoder, vec![held])?);
        }
        Ok(())
    }
}

/// CTC: equal neighbours are one token.
pub struct Deduplicated {
    decoder: Arc<DecoderWrapper>,
    previous: Option<String>,
}

impl Deduplicated {
    pub fn new(decoder: Arc<DecoderWrapper>) -> Self {
        Deduplicated { decoder, previous: None }
    }
}

impl Stage for Deduplicated {
    fn push(&mut self, token: String, output: &mut Output) -> Result<()> {
        if self.previous.as_ref() != Some(&token) {
            output.extend(decode(&self.decoder, vec![token.clone()])?);
            self.previous = Some(token);
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Output) -> Result<()> {
        Ok(())
    }
}

/// ByteFallback: a run of byte tokens is text if all of it is UTF-8, and else one U+FFFD per byte. So a run waits for
/// its end.
pub struct ByteRuns {
    decoder: Arc<DecoderWrapper>,
    run: Vec<String>,
    bytes: usize,
}

impl ByteRuns {
    pub fn new(decoder: Arc<DecoderWrapper>) -> Self {
        ByteRuns { decoder, run: Vec::new(), bytes: 0 }
    }
}

/// <0x00> to <0xFF>, told by the same rule as the crate's.
fn is_byte(token: &str) -> bool {
    token.len() == 6
        && token.starts_with("<0x")
        && token.ends_with('>')
        && token.get(3..5).is_some_and(|digits| u8::from_str_radix(digits, 16).is_ok())
}

impl Stage for ByteRuns {
    fn push(&mut self, token: String, output: &mut Output) -> Result<()> {
        if is_byte(&token) {
            self.bytes += token.len();
            if self.bytes > DECODE_BYTES {
                let message = format!("a run of byte tokens over {DECODE_BYTES} bytes");
                return Err(Failure::new(Status::LimitExceeded, message));
            }
            self.run.push(token);
            return Ok(());
        }
        self.finish(output)?;
        output.push(token);
        Ok(())
    }

    fn finish(&mut self, output: &mut Output) -> Result<()> {
        self.bytes = 0;
        if !self.run.is_empty() {
            output.extend(decode(&self.decoder, std::mem::take(&mut self.run))?);
        }
        Ok(())
    }
}
