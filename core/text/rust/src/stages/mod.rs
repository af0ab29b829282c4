//! The steps of a decoder, made to work on one token at a time.
//!
//! The crate's decoders map the list of all tokens to another list. Each stage here gives the same list, element by
//! element, as early as no later token can change it. Wherever possible it does so by handing the crate's decoder a
//! list short enough to be equivalent, so that the rules themselves are not written twice.

mod byte_level;
mod chain;
mod fused;
mod plan;
mod tokens;

pub use chain::Chain;
pub use plan::Plan;

use tokenizers::decoders::DecoderWrapper;
use tokenizers::Decoder;

use crate::failure::{Failure, Result, Status};

/// Where a stage puts its results.
pub type Output = Vec<String>;

/// One step. Before a fusing step the pieces are tokens; after it they are parts of one long token.
pub trait Stage: Send {
    fn push(&mut self, piece: String, output: &mut Output) -> Result<()>;
    /// The end of the tokens, once, after the last push.
    fn finish(&mut self, output: &mut Output) -> Result<()>;
}

/// The crate's decoder on a short list.
fn decode(decoder: &DecoderWrapper, tokens: Vec<String>) -> Result<Vec<String>> {
    decoder
        .decode_chain(tokens)
        .map_err(|e| Failure::new(Status::Unsupported, format!("these ids cannot be decoded: {e}")))
}
