//! What the cases of bindings/bench/README.md cost through the crate graft: graft-bench MODEL
use std::hint::black_box;
use std::time::Instant;

use graft::{Engine, EngineOptions, EventBuffer, Input, RequestOptions, Result};

const BATCHES: usize = 101;
const CALLS: u32 = 2000;
const ANSWERS: usize = 30;

fn report(case: &str, mut samples: Vec<f64>) {
    samples.sort_by(f64::total_cmp);
    println!(r#"{{"language": "rust", "case": "{case}", "ns": {:.1}}}"#, samples[samples.len() / 2]);
}

fn nanoseconds(begin: Instant, count: u32) -> f64 {
    begin.elapsed().as_secs_f64() * 1e9 / f64::from(count)
}

fn measure(case: &str, count: u32, mut call: impl FnMut()) {
    let batch = |_| {
        let begin = Instant::now();
        for _ in 0..count {
            call();
        }
        nanoseconds(begin, count)
    };
    report(case, (0..BATCHES).map(batch).collect());
}

/// Of requests that have ended before, so that no model's time is in it.
fn measure_tokens(engine: &Engine) -> Result<()> {
    let input = Input::from_text("What is")?;
    let mut options = RequestOptions::new()?;
    options.greedy(true)?.ignore_eos(true)?.max_tokens(250)?;
    let mut event = EventBuffer::new()?;
    let mut samples = Vec::new();
    for _ in 0..ANSWERS {
        let mut request = engine.submit(&input, Some(&options))?;
        request.wait(None)?;
        let mut events = 0;
        let begin = Instant::now();
        while request.pull(&mut event)? {
            black_box((event.kind(), event.token(), event.text().len(), event.logprob()));
            events += 1;
        }
        samples.push(nanoseconds(begin, events));
    }
    report("token", samples);
    Ok(())
}

fn main() -> Result<()> {
    let model = std::env::args().nth(1).expect("usage: graft-bench MODEL");
    let engine = Engine::open(model)?;
    let tokenizer = engine.tokenizer()?;
    let mut ids = Vec::new();
    measure("abi", CALLS, || {
        black_box(graft::abi_version());
    });
    measure("vocab_size", CALLS, || {
        black_box(tokenizer.vocab_size());
    });
    measure("encode", CALLS / 10, || {
        tokenizer.encode_into("What is 27 + 58?", false, &mut ids).expect("a short text");
        black_box(ids.len());
    });
    let mut options = EngineOptions::new()?;
    measure("failure", CALLS / 100, || {
        let error = options.json(r#"{"colour": 1}"#).map(|_| ()).expect_err("no such option");
        black_box((error.status(), error.message().len()));
    });
    measure_tokens(&engine)
}
