//! The streaming decoder: a chain of stages, one for each step of the tokenizer's decoder.

use std::sync::Arc;

use crate::failure::{Failure, Result, Status};
use crate::stages::Chain;
use crate::tokenizer::Tokenizer;

pub struct Stream {
    tokenizer: Arc<Tokenizer>,
    skip_special: bool,
    chain: Chain,
    /// What the last call returned.
    text: String,
    broken: bool,
}

impl Stream {
    pub fn new(tokenizer: Arc<Tokenizer>, skip_special: bool) -> Stream {
        let chain = tokenizer.plan.chain();
        Stream { tokenizer, skip_special, chain, text: String::new(), broken: false }
    }

    pub fn push(&mut self, id: u32) -> Result<&str> {
        self.start()?;
        if let Some(token) = self.tokenizer.token(id, self.skip_special) {
            self.broken = true; // stays so where the chain fails or panics half-way
            self.chain.push(token, &mut self.text)?;
            self.broken = false;
        }
        Ok(&self.text)
    }

    pub fn flush(&mut self) -> Result<&str> {
        self.start()?;
        self.broken = true;
        self.chain.finish(&mut self.text)?;
        self.chain = self.tokenizer.plan.chain();
        self.broken = false;
        Ok(&self.text)
    }

    fn start(&mut self) -> Result<()> {
        self.text.clear();
        if self.broken {
            return Err(Failure::new(Status::InvalidState, "this stream decoder has failed before"));
        }
        Ok(())
    }
}
