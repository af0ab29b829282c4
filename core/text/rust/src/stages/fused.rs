//! Stages after a fusing step, where the whole text is one token and comes in parts.

use std::sync::Arc;

use tokenizers::decoders::DecoderWrapper;

use super::{decode, Output, Stage};
use crate::failure::{Failure, Result, Status};
use crate::limits::DECODE_BYTES;

/// Strip: up to `start` characters off the front of the text, up to `stop` off its end.
pub struct Strip {
    content: char,
    start: usize,
    stop: usize,
    /// Characters that may be the end of the text.
    held: usize,
}

impl Strip {
    pub fn new(content: char, start: usize, stop: usize) -> Self {
        Strip { content, start, stop, held: 0 }
    }
}

impl Stage for Strip {
    fn push(&mut self, part: String, output: &mut Output) -> Result<()> {
        let mut text = String::with_capacity(part.len());
        for character in part.chars() {
            if character != self.content {
                self.start = 0;
                text.extend(std::iter::repeat_n(self.content, self.held));
                self.held = 0;
                text.push(character);
            } else if self.start > 0 {
                self.start -= 1;
            } else if self.held < self.stop {
                self.held += 1;
            } else {
                text.push(character); // one more at the end, so the first of them is safe
            }
        }
        if !text.is_empty() {
            output.push(text);
        }
        Ok(())
    }

    /// What is held are at most `stop` characters at the end: they go.
    fn finish(&mut self, _: &mut Output) -> Result<()> {
        Ok(())
    }
}

/// A decoder that needs the whole text: everything waits for the end.
pub struct Whole {
    decoder: Arc<DecoderWrapper>,
    text: String,
    started: bool,
}

impl Whole {
    pub fn new(decoder: Arc<DecoderWrapper>) -> Self {
        Whole { decoder, text: String::new(), started: false }
    }
}

impl Stage for Whole {
    fn push(&mut self, part: String, _: &mut Output) -> Result<()> {
        if self.text.len() + part.len() > DECODE_BYTES {
            let message = format!("this decoder needs the whole text at once, which is over {DECODE_BYTES} bytes");
            return Err(Failure::new(Status::LimitExceeded, message));
        }
        self.text.push_str(&part);
        self.started = true;
        Ok(())
    }

    fn finish(&mut self, output: &mut Output) -> Result<()> {
        if self.started {
            output.extend(decode(&self.decoder, vec![std::mem::take(&mut self.text)])?);
        }
        Ok(())
    }
}
