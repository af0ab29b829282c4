//! Stages in a row.

use super::{Output, Stage};
use crate::failure::Result;

pub struct Chain {
    stages: Vec<Box<dyn Stage>>,
}

impl Chain {
    pub fn new(stages: Vec<Box<dyn Stage>>) -> Chain {
        Chain { stages }
    }

    /// One token through all stages; appends what comes out.
    pub fn push(&mut self, token: String, text: &mut String) -> Result<()> {
        self.run(0, vec![token], text)
    }

    /// Ends every stage in turn, each after it has had what the one before it held back.
    pub fn finish(&mut self, text: &mut String) -> Result<()> {
        for first in 0..self.stages.len() {
            let mut held = Output::new();
            self.stages[first].finish(&mut held)?;
            self.run(first + 1, held, text)?;
        }
        Ok(())
    }

    fn run(&mut self, first: usize, mut pieces: Output, text: &mut String) -> Result<()> {
        for stage in self.stages.iter_mut().skip(first) {
            if pieces.is_empty() {
                return Ok(());
            }
            let mut output = Output::new();
            for piece in pieces {
                stage.push(piece, &mut output)?;
            }
            pieces = output;
        }
        pieces.iter().for_each(|piece| text.push_str(piece));
        Ok(())
    }
}
