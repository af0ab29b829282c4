//! One test for each promise of the public layer that one thread can check.
mod common;

use std::collections::BTreeSet;
use std::time::Duration;

use common::{answer, engine, input, model, options, steady};
use graft::*;

#[test]
fn every_function_of_the_abi_is_used() {
    let manifest = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let generated = std::fs::read_to_string(manifest.join("../graft-sys/src/generated.rs")).unwrap();
    let declared: BTreeSet<&str> = generated
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub fn "))
        .map(|line| line.split('(').next().unwrap())
        .collect();
    assert!(declared.len() > 100);
    let mut words = BTreeSet::new();
    for file in std::fs::read_dir(manifest.join("src")).unwrap() {
        let source = std::fs::read_to_string(file.unwrap().path()).unwrap();
        words.extend(source.split(|c: char| !c.is_alphanumeric() && c != '_').map(String::from));
    }
    // tensors of other libraries, by pointer: unsafe in the user's hands, so they are graft-sys's alone
    let left_out = ["graft_tensor_from_dlpack", "graft_tensor_to_dlpack"];
    let unused: Vec<_> = declared.iter().filter(|name| !words.contains(**name) && !left_out.contains(name)).collect();
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn threads_are_as_the_headers_say() {
    fn send<T: Send>() {}
    fn both<T: Send + Sync>() {}
    both::<Engine>();
    both::<Tokenizer>();
    both::<Queue>();
    both::<Tensor>();
    both::<Policy>();
    both::<Profile>();
    both::<Canceller>();
    both::<Error>();
    both::<Event>();
    send::<Request>();
    send::<EventBuffer>();
    send::<Decoder>();
    send::<Input>();
    send::<EngineOptions>();
    send::<RequestOptions>();
}

#[test]
fn versions() {
    assert_eq!(abi_version(), 1);
    assert_eq!(version().split('.').count(), 3);
}

#[test]
fn a_failure_has_its_status_and_names_the_path() {
    let error = Engine::open("/no/such/model").unwrap_err();
    assert_eq!(error.status(), Status::NotFound);
    assert!(error.message().contains("/no/such/model"), "{error}");
    assert!(error.to_string().starts_with("NOT_FOUND: "), "{error}");
    let boxed: Box<dyn std::error::Error + Send + Sync> = error.into();
    assert!(boxed.downcast_ref::<Error>().is_some());
}

#[test]
fn numbers_of_statuses_go_both_ways() {
    for code in 1..=19 {
        let status = Status::from_code(code);
        assert_eq!(status.code(), code);
        assert!(!matches!(status, Status::Unknown(_)), "{code}");
        assert_ne!(status.name(), "UNKNOWN");
    }
    assert_eq!(Status::from_code(4711), Status::Unknown(4711));
    assert_eq!(Status::Unknown(4711).to_string(), "UNKNOWN(4711)");
}

#[cfg(unix)]
#[test]
fn a_path_that_is_no_text_is_refused() {
    use std::os::unix::ffi::OsStrExt;
    let path = std::ffi::OsStr::from_bytes(b"/tmp/\xFF");
    assert_eq!(Engine::open(path).unwrap_err().status(), Status::InvalidArgument);
    assert_eq!(Tokenizer::open(path).unwrap_err().status(), Status::InvalidArgument);
}

#[test]
fn text_goes_both_ways() {
    let tokenizer = Tokenizer::open(model()).unwrap();
    for text in ["", "plain", "a\0b\0", "gr\u{fc}n \u{20ac} \u{1f600} \u{10ffff}", &"long ".repeat(5000)] {
        let ids = tokenizer.encode(text, false).unwrap();
        assert_eq!(tokenizer.decode(&ids, true).unwrap(), text);
    }
    let id = tokenizer.id_of("Hi").unwrap();
    assert_eq!(tokenizer.piece(id).unwrap(), "Hi");
    assert_eq!(tokenizer.decode(&[1 << 40], false).unwrap_err().status(), Status::InvalidArgument);
    let mut reused = vec![7; 3];
    tokenizer.encode_into("Hi", false, &mut reused).unwrap();
    assert_eq!(reused, [id]);
}

#[test]
fn a_decoder_holds_back_half_characters() {
    let tokenizer = Tokenizer::open(model()).unwrap();
    let ids = tokenizer.encode("\u{1f331}", false).unwrap();
    assert!(ids.len() > 1, "{ids:?}");
    let mut decoder = tokenizer.decoder(true).unwrap();
    drop(tokenizer);
    let pieces: Vec<String> = ids.iter().map(|&id| decoder.push(id).unwrap()).collect();
    assert_eq!(pieces.concat(), "\u{1f331}");
    assert_eq!(pieces[0], "");
    assert_eq!(decoder.finish().unwrap(), "");
}

#[test]
fn chat_templates() {
    let tokenizer = engine().tokenizer().unwrap();
    let messages = r#"[{"role": "user", "content": "Hi"}]"#;
    let asking = tokenizer.apply_chat_template(messages, None).unwrap();
    let plain = tokenizer.apply_chat_template(messages, Some(r#"{"add_generation_prompt": false}"#)).unwrap();
    assert!(asking.len() > plain.len() && asking.starts_with(&plain), "{asking:?} {plain:?}");
}

#[test]
fn every_option_of_an_engine() {
    let mut options = EngineOptions::new().unwrap();
    let policy = Policy::row_parallel("LlamaDecoderLayer", &["self_attn.o_proj", "mlp.down_proj"]).unwrap();
    let rank = Rank { rank: 0, world: 1, address: "", port: 0, timeout: Duration::ZERO };
    options.device("cpu").unwrap().dtype("float32").unwrap().quantization(0, 0).unwrap();
    options.tensor_parallel(1).unwrap().expert_parallel(1).unwrap().rank(rank).unwrap().injection("auto").unwrap();
    options.graph(false).unwrap().threads(1).unwrap().context_limit(64).unwrap().max_sequences(2).unwrap();
    options
        .max_queue(4)
        .unwrap()
        .run_ahead(Duration::from_millis(5))
        .unwrap()
        .memory_limit(1 << 30)
        .unwrap()
        .weights(Weights::Read)
        .unwrap();
    options.library_directory("").unwrap().add_policy(&policy).unwrap().json(r#"{"threads": 1}"#).unwrap();
    let engine = options.open(model()).unwrap();
    assert!(engine.info().unwrap().contains("\"context_limit\":64"), "{}", engine.info().unwrap());
    assert!(options.inspect(model()).unwrap().contains("LlamaForCausalLM"));
    let error = options.threads(-1).unwrap_err();
    assert_eq!(error.status(), Status::InvalidArgument);
    assert!(error.message().contains("threads"), "{error}");
    assert_eq!(engine.save("/tmp/graft-save").unwrap_err().status(), Status::Unsupported);
    drop(options);
    assert!(!answer(&engine, 4).unwrap().is_empty());
}

#[test]
fn every_option_of_a_request() {
    let mut options = RequestOptions::new().unwrap();
    options.kind(RequestKind::Generate).unwrap().pooling(Pooling::Mean).unwrap().max_tokens(3).unwrap();
    options.min_tokens(1).unwrap().greedy(false).unwrap().temperature(0.5).unwrap().top_k(5).unwrap();
    options.top_p(0.9).unwrap().min_p(0.0).unwrap().typical_p(1.0).unwrap().seed(1).unwrap();
    options.repetition_penalty(1.1).unwrap().frequency_penalty(0.1).unwrap().presence_penalty(0.1).unwrap();
    options.penalty_window(8).unwrap().no_repeat_ngram(3).unwrap().logit_bias(&[(5, -1.0), (6, 1.0)]).unwrap();
    options.allowed_tokens(&[]).unwrap().banned_tokens(&[7]).unwrap().add_stop("\n\n").unwrap();
    options.stop_tokens(&[9]).unwrap().ignore_eos(true).unwrap().num_beams(1).unwrap().num_sequences(2).unwrap();
    options.length_penalty(1.0).unwrap().top_logprobs(2).unwrap().priority(-3).unwrap().cache_salt("s\0t").unwrap();
    options.deadline(Some(Duration::from_secs(60))).unwrap().json(r#"{"top_k": 4}"#).unwrap();
    assert_eq!(options.deadline(Some(Duration::ZERO)).unwrap_err().status(), Status::InvalidArgument);
    assert_eq!(options.top_p(f64::NAN).unwrap_err().status(), Status::InvalidArgument);
    let engine = engine();
    let refused = engine.submit(&input(), Some(&options)).unwrap_err();
    assert_eq!((refused.status(), refused.message().contains("cache_salt")), (Status::Unsupported, true), "{refused}");
    options.cache_salt("").unwrap();
    let request = engine.submit(&input(), Some(&options)).unwrap();
    drop(options);
    let events: Vec<Event> = request.collect::<Result<_>>().unwrap();
    let finished: Vec<_> = events.iter().filter(|event| event.kind == EventKind::Finished).collect();
    assert_eq!(finished.iter().map(|event| event.sequence).collect::<BTreeSet<_>>(), BTreeSet::from([0, 1]));
    let token = events.iter().find(|event| event.token.is_some()).unwrap();
    assert_eq!(token.top_logprobs.len(), 2);
    assert!(token.top_logprobs[0].logprob >= token.top_logprobs[1].logprob && token.logprob < 0.0);
}

#[test]
fn iterating_and_pulling_give_the_same() {
    let engine = engine();
    let options = steady(12);
    let events: Vec<Event> = engine.submit(&input(), Some(&options)).unwrap().collect::<Result<_>>().unwrap();
    let mut request = engine.submit(&input(), Some(&options)).unwrap();
    let mut buffer = EventBuffer::new().unwrap();
    assert_eq!((buffer.kind(), buffer.text(), buffer.token()), (EventKind::None, "", None));
    let mut pulled = Vec::new();
    while request.pull(&mut buffer).unwrap() {
        pulled.push(buffer.to_event().unwrap());
    }
    assert_eq!(pulled, events);
    assert!(!request.pull(&mut buffer).unwrap());
    let last = events.last().unwrap();
    assert_eq!(last.finish_reason, Some(FinishReason::Length));
    assert_eq!(events.iter().filter(|event| event.last).count(), 1);
    assert!(last.last);
    assert_eq!((last.usage.completion_tokens, last.usage.prompt_tokens > 0), (12, true));
    assert_eq!(events.iter().filter(|event| event.token.is_some()).count(), 12);
}

#[test]
fn a_failed_request_gives_its_error_once_and_ends() {
    let engine = engine();
    let hurried = options(r#"{"max_tokens": 240, "ignore_eos": true, "deadline_ms": 1}"#);
    let mut request = engine.submit(&input(), Some(&hurried)).unwrap();
    let failed: Vec<Error> = request.by_ref().filter_map(Result::err).collect();
    assert_eq!(failed.iter().map(Error::status).collect::<Vec<_>>(), [Status::DeadlineExceeded]);
    assert!(request.next().is_none());
    assert_eq!(request.wait(None).unwrap_err(), failed[0]);
    assert_eq!(request.error_message(), failed[0].message());
    assert!(!failed[0].message().is_empty());
}

#[test]
fn waits_and_time_outs() {
    let engine = EngineOptions::new().unwrap().threads(1).unwrap().max_sequences(1).unwrap().open(model()).unwrap();
    let first = engine.submit(&input(), Some(&steady(240))).unwrap();
    let mut request = engine.submit(&input(), Some(&steady(2))).unwrap(); // waits for its turn
    let mut buffer = EventBuffer::new().unwrap();
    assert!(!request.wait(Some(Duration::ZERO)).unwrap());
    assert_eq!(request.pull_timeout(&mut buffer, Some(Duration::ZERO)).unwrap(), Pull::Timeout);
    first.cancel();
    assert!(request.wait(None).unwrap());
    assert_eq!(request.pull_timeout(&mut buffer, Some(Duration::ZERO)).unwrap(), Pull::Event);
    assert!(!engine.wait(Some(Duration::ZERO)).unwrap());
    assert!(engine.shutdown(None).unwrap());
    assert!(engine.wait(None).unwrap());
    assert_eq!(engine.submit(&input(), None).unwrap_err().status(), Status::Closed);
}

#[test]
fn tensors_are_read_in_place() {
    let tensor = Tensor::from_slice(&[2, 2], &[1i64, 2, 3, 4]).unwrap();
    assert_eq!((tensor.dtype(), tensor.shape(), tensor.device()), (DType::Int64, &[2i64, 2][..], "cpu"));
    assert_eq!(tensor.as_slice::<i64>().unwrap(), [1, 2, 3, 4]);
    assert_eq!(tensor.bytes().as_ptr(), tensor.as_slice::<i64>().unwrap().as_ptr().cast());
    assert_eq!(tensor.as_slice::<f32>().unwrap_err().status(), Status::InvalidArgument);
    assert_eq!(Tensor::from_slice::<f64>(&[], &[0.5]).unwrap().as_slice::<f64>().unwrap(), [0.5]);
    let empty = Tensor::from_slice::<f32>(&[0, 3], &[]).unwrap();
    assert_eq!((empty.shape(), empty.as_slice::<f32>().unwrap().len()), (&[0i64, 3][..], 0));
    assert!(Tensor::new(DType::Float32, &[2], &[0; 7]).is_err());
    assert!(Tensor::new(DType::Unknown(77), &[4], &[0; 4]).is_err());
    let mut input = Input::from_text("x").unwrap();
    input.tensor("pixel_values", Some(&tensor)).unwrap();
    assert_eq!(engine().submit(&input, None).unwrap_err().status(), Status::Unsupported);
    input.tensor("pixel_values", None).unwrap();
    assert!(engine().submit(&input, None).is_ok());
}

#[test]
fn inputs_of_every_kind() {
    let mut input = Input::from_tokens(&[635, 382]).unwrap();
    input.decoder_tokens(&[]).unwrap().token_types(&[]).unwrap();
    let engine = engine();
    let of = |input: &Input| engine.submit(input, Some(&steady(5))).unwrap().into_text().unwrap();
    let by_tokens = of(&input);
    assert_eq!(by_tokens, of(&Input::from_text("Hi you").unwrap()));
    assert_eq!(engine.submit(input.text("two").unwrap(), None).unwrap_err().status(), Status::InvalidArgument);
    assert_eq!(of(&Input::from_chat(r#"[{"role": "user", "content": "What is 27 + 58?"}]"#).unwrap())[..2], *"85");
    assert_eq!(engine.submit(&Input::new().unwrap(), None).unwrap_err().status(), Status::InvalidArgument);
}

#[test]
fn measuring() {
    let engine = engine();
    assert_eq!(engine.take_profile().unwrap_err().status(), Status::InvalidState);
    engine.profile(true).unwrap();
    answer(&engine, 4).unwrap();
    engine.profile(false).unwrap();
    let profile = engine.take_profile().unwrap();
    let times = profile.milliseconds().unwrap();
    assert!(profile.count() > 0 && times.len() == profile.count() && times.iter().all(|time| *time > 0.0));
    assert!(profile.table().unwrap().contains("\"explained\""));
    assert!(engine.stats().unwrap().contains("\"requests"));
}

#[test]
fn policies() {
    Policy::from_json(r#"{"model_type": "mine"}"#).unwrap();
    assert_eq!(Policy::from_json("[]").unwrap_err().status(), Status::InvalidArgument);
    let error = Policy::row_parallel("Layer", &["a\0b"]).unwrap_err();
    assert_eq!(error.status(), Status::InvalidArgument);
    assert_eq!(Policy::row_parallel("Layer", &[""; 0]).unwrap_err().status(), Status::InvalidArgument);
}
