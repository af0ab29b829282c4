//! Who may be dropped before whom, tensors read in place, failures of two threads.
use std::sync::Barrier;
use std::thread;

use graft::{DType, Engine, EngineOptions, Input, Queue, Request, RequestKind, Tensor};

use crate::generating::answer;
use crate::session::{Session, events, failure, options, submit};
use crate::table::Case;
use crate::{Kind, Outcome};

pub fn find(kind: &str) -> Option<Kind> {
    Some(match kind {
        // what is dropped has no name any more
        "double_close" | "use_after_close" => |_, _| Ok("cannot be written".into()),
        "parent_first" => parent_first,
        "unreachable" => unreachable,
        "tensor" => |session, case| result(&submit(case, session.engine(case)?.as_ref())?, case.text("result")),
        "embed" => embed,
        "tensor_new" => |_, case| {
            let dtype = DType::from_code(i32::try_from(case.number("dtype", 0)).expect("a small number"));
            let bytes = vec![0; usize::try_from(case.number("bytes", 0)).expect("a size")];
            Tensor::new(dtype, &case.numbers("shape"), &bytes).map(|_| "ok".into())
        },
        "input_tensor" => input_tensor,
        "error_threads" => error_threads,
        _ => return None,
    })
}

/// `"float32 [2, 3] <hash>"`.
fn write(tensor: &Tensor) -> String {
    let hash = tensor
        .bytes()
        .iter()
        .fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3));
    format!("{} {:?} {hash:016x}", tensor.dtype().name(), tensor.shape())
}

fn result(request: &Request, name: &str) -> Outcome {
    request.wait(None)?;
    Ok(write(&request.tensor(name)?))
}

fn embed(session: &Session, case: &Case) -> Outcome {
    let mut wanted = options(case)?;
    wanted.kind(RequestKind::Embed)?;
    let input = Input::from_text(case.text("text"))?;
    result(&session.embedder()?.submit(&input, Some(&wanted))?, "embedding")
}

fn parent_first(session: &Session, case: &Case) -> Outcome {
    match case.text("of") {
        "engine" => {
            let engine = session.own_engine()?;
            let request = submit(case, &engine)?;
            drop(engine);
            request.into_text()
        }
        "tokenizer" => {
            let tokenizer = graft::Tokenizer::open(&session.model)?;
            let mut decoder = tokenizer.decoder(true)?;
            drop(tokenizer);
            case.numbers("tokens").into_iter().map(|token| decoder.push(token)).collect()
        }
        "request" => {
            let engine = session.own_engine()?;
            let request = submit(case, &engine)?;
            request.wait(None)?;
            let tensor = request.tensor("logits")?;
            drop((request, engine));
            Ok(write(&tensor))
        }
        "options" => submit(case, session.engine(case)?.as_ref())?.into_text(), // submit drops them
        other => panic!("no parent {other}"),
    }
}

fn unreachable(session: &Session, case: &Case) -> Outcome {
    let engine = session.own_engine()?;
    let tokenizer = engine.tokenizer()?;
    let mut request = submit(case, &engine)?;
    request.next().transpose()?;
    let tensor = Tensor::from_slice(&[1], &[1.0f32])?;
    let queue = Queue::new()?;
    drop(engine);
    drop(tokenizer);
    drop(request);
    drop(tensor);
    drop(queue);
    Ok(answer(&events(case, session.engine(case)?.as_ref())?))
}

fn input_tensor(session: &Session, case: &Case) -> Outcome {
    let shape = case.numbers("shape");
    let count = usize::try_from(shape.iter().product::<i64>()).expect("a size");
    let tensor = Tensor::from_slice(&shape, &vec![0.0f32; count])?;
    let mut input = Input::new()?;
    input.tensor(case.text("result"), Some(&tensor))?;
    session.engine(case)?.submit(&input, None).map(|_| "ok".into())
}

fn error_threads(_: &Session, case: &Case) -> Outcome {
    let rounds = case.number("rounds", 1);
    let start = Barrier::new(2);
    let repeat = |fail: &dyn Fn() -> graft::Error| {
        let texts: Vec<String> = (0..rounds)
            .map(|_| {
                start.wait();
                failure(&fail())
            })
            .collect();
        texts.iter().all(|text| *text == texts[0]).then(|| texts[0].clone())
    };
    let opening = || Engine::open(case.text("path")).expect_err("no model is there");
    let setting = || {
        let mut options = EngineOptions::new().expect("options");
        options.json(case.text("json")).map(|_| ()).expect_err("no such value")
    };
    let (here, there) = thread::scope(|scope| {
        let other = scope.spawn(|| repeat(&setting));
        (repeat(&opening), other.join().expect("nothing is thrown"))
    });
    Ok(match (here, there) {
        (Some(here), Some(there)) => format!("{here} || {there}"),
        _ => "mixed".into(),
    })
}
