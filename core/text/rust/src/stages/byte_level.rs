//! ByteLevel: tokens are bytes in a printable alphabet, and the text is UTF-8 over all of them.

use super::{Output, Stage};
use crate::failure::Result;

/// The byte that a character of GPT-2's alphabet stands for: printable Latin-1 for itself, the 68 others as U+0100
/// onwards, in order of the byte (Radford et al., "Language Models are Unsupervised Multitask Learners", encoder.py).
fn byte_of(character: char) -> Option<u8> {
    match u32::from(character) {
        code @ (0x21..=0x7E | 0xA1..=0xAC | 0xAE..=0xFF) => Some(code as u8),
        code @ 0x100..=0x120 => Some((code - 0x100) as u8), // 0x00 to 0x20
        code @ 0x121..=0x142 => Some((code - 0x121 + 0x7F) as u8), // 0x7F to 0xA0
        0x143 => Some(0xAD),
        _ => None,
    }
}

/// Holds back the bytes of an unfinished character, at most three.
#[derive(Default)]
pub struct ByteLevel {
    pending: Vec<u8>,
}

impl ByteLevel {
    /// A token with a character outside the alphabet (an added token) is text as it stands.
    fn take(&mut self, token: &str) {
        let start = self.pending.len();
        for character in token.chars() {
            match byte_of(character) {
                Some(byte) => self.pending.push(byte),
                None => {
                    self.pending.truncate(start);
                    self.pending.extend_from_slice(token.as_bytes());
                    return;
                }
            }
        }
    }
}

impl Stage for ByteLevel {
    fn push(&mut self, token: String, output: &mut Output) -> Result<()> {
        self.take(&token);
        let mut text = String::with_capacity(self.pending.len());
        let mut at = 0;
        loop {
            match std::str::from_utf8(&self.pending[at..]) {
                Ok(rest) => {
                    text.push_str(rest);
                    at = self.pending.len();
                    break;
                }
                Err(error) => {
                    let valid = at + error.valid_up_to();
                    text.push_str(&String::from_utf8_lossy(&self.pending[at..valid]));
                    at = valid;
                    match error.error_len() {
                        Some(broken) => {
                            text.push(char::REPLACEMENT_CHARACTER);
                            at += broken;
                        }
                        None => break, // more bytes may complete it
                    }
                }
            }
        }
        self.pending.drain(..at);
        if !text.is_empty() {
            output.push(text);
        }
        Ok(())
    }

    fn finish(&mut self, output: &mut Output) -> Result<()> {
        if !self.pending.is_empty() {
            output.push(char::REPLACEMENT_CHARACTER.to_string());
            self.pending.clear();
        }
        Ok(())
    }
}
