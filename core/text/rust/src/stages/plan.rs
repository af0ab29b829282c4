//! From the decoder of tokenizer.json to a chain of stages.

use std::sync::Arc;

use serde_json::Value;
use tokenizers::decoders::DecoderWrapper;

use super::byte_level::ByteLevel;
use super::fused::{Strip, Whole};
use super::tokens::{ByteRuns, Deduplicated, EachAlike, FirstDiffers, LastDiffers, Spaces};
use super::{Chain, Stage};
use crate::failure::{Failure, Result, Status};

/// Which stages a stream needs. Made once per tokenizer; a chain is made of it for every stream.
pub struct Plan {
    steps: Vec<Step>,
}

enum Step {
    Spaces,
    EachAlike(Arc<DecoderWrapper>),
    FirstDiffers(Arc<DecoderWrapper>),
    LastDiffers(Arc<DecoderWrapper>, String),
    Deduplicated(Arc<DecoderWrapper>),
    ByteRuns(Arc<DecoderWrapper>),
    ByteLevel,
    FusedStrip(char, usize, usize),
    Whole(Arc<DecoderWrapper>),
}

impl Plan {
    pub fn new(decoder: Option<&DecoderWrapper>) -> Result<Plan> {
        let mut steps = Vec::new();
        match decoder {
            Some(decoder) => {
                let mut fused = false;
                add(decoder, &mut fused, &mut steps)?;
            }
            None => steps.push(Step::Spaces),
        }
        Ok(Plan { steps })
    }

    pub fn chain(&self) -> Chain {
        Chain::new(self.steps.iter().map(stage).collect())
    }
}

fn stage(step: &Step) -> Box<dyn Stage> {
    match step {
        Step::Spaces => Box::new(Spaces::default()),
        Step::EachAlike(decoder) => Box::new(EachAlike(decoder.clone())),
        Step::FirstDiffers(decoder) => Box::new(FirstDiffers::new(decoder.clone())),
        Step::LastDiffers(decoder, suffix) => Box::new(LastDiffers::new(decoder.clone(), suffix.clone())),
        Step::Deduplicated(decoder) => Box::new(Deduplicated::new(decoder.clone())),
        Step::ByteRuns(decoder) => Box::new(ByteRuns::new(decoder.clone())),
        Step::ByteLevel => Box::new(ByteLevel::default()),
        Step::FusedStrip(content, start, stop) => Box::new(Strip::new(*content, *start, *stop)),
        Step::Whole(decoder) => Box::new(Whole::new(decoder.clone())),
    }
}

/// Appends the steps of `decoder`. `fused`: whether the tokens have become one by now.
fn add(decoder: &DecoderWrapper, fused: &mut bool, steps: &mut Vec<Step>) -> Result<()> {
    if let DecoderWrapper::Sequence(sequence) = decoder {
        return sequence.get_decoders().iter().try_for_each(|inner| add(inner, fused, steps));
    }
    let own = || Arc::new(decoder.clone());
    if *fused {
        match decoder {
            DecoderWrapper::Fuse(_) => {}                                       // one token already
            DecoderWrapper::Metaspace(_) => steps.push(Step::EachAlike(own())), // character by character
            DecoderWrapper::Replace(_) if replaces_one_character(decoder)? => steps.push(Step::EachAlike(own())),
            DecoderWrapper::Strip(strip) => steps.push(Step::FusedStrip(strip.content, strip.start, strip.stop)),
            _ => steps.push(Step::Whole(own())),
        }
        return Ok(());
    }
    match decoder {
        DecoderWrapper::Fuse(_) => *fused = true, // from here on parts, not tokens: no stage of its own
        DecoderWrapper::ByteLevel(_) => {
            *fused = true;
            steps.push(Step::ByteLevel);
        }
        DecoderWrapper::Replace(_) | DecoderWrapper::Strip(_) => steps.push(Step::EachAlike(own())),
        DecoderWrapper::Metaspace(_) | DecoderWrapper::WordPiece(_) => steps.push(Step::FirstDiffers(own())),
        DecoderWrapper::BPE(bpe) => steps.push(Step::LastDiffers(own(), bpe.suffix.clone())),
        DecoderWrapper::CTC(_) => steps.push(Step::Deduplicated(own())),
        DecoderWrapper::ByteFallback(_) => steps.push(Step::ByteRuns(own())),
        DecoderWrapper::Sequence(_) => {}
    }
    Ok(())
}

/// A literal pattern of one character cannot lie across two parts.
fn replaces_one_character(decoder: &DecoderWrapper) -> Result<bool> {
    let settings = serde_json::to_value(decoder)
        .map_err(|e| Failure::new(Status::Internal, format!("the decoder's settings cannot be read back: {e}")))?;
    Ok(match settings.pointer("/pattern/String") {
        Some(Value::String(pattern)) => pattern.chars().count() == 1,
        _ => false,
    })
}
