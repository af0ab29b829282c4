//! Answers: whole, event by event, cancelled, refused, many at once.
use std::thread;
use std::time::Duration;

use graft::{Event, EventKind, FinishReason, Request};

use crate::session::{ONE_THREAD, Session, events, failure, open, submit, text_of};
use crate::table::{Case, joined};
use crate::{Kind, Outcome};

pub fn find(kind: &str) -> Option<Kind> {
    Some(match kind {
        "generate" => |session, case| Ok(answer(&events(case, session.engine(case)?.as_ref())?)),
        "tokens_of" => |session, case| {
            let events = events(case, session.engine(case)?.as_ref())?;
            Ok(joined(&events.iter().filter_map(|event| event.token).collect::<Vec<_>>()))
        },
        "events" => kinds,
        "sequences" => sequences,
        "logprobs" => logprobs,
        "cancel_decode" | "cancel_prefill" | "cancel_elsewhere" => cancel,
        "failure" => |session, case| {
            let failed = events(case, session.engine(case)?.as_ref()).err();
            Ok(failed.map_or("none", |error| error.status().name()).into())
        },
        "wait" => wait,
        "busy" => busy,
        "shutdown" => |session, case| {
            let engine = open(&session.model, Some(ONE_THREAD))?;
            engine.shutdown(None)?;
            submit(case, &engine).map(|_| "ok".into())
        },
        "threads" => threads,
        _ => return None,
    })
}

fn reason_name(reason: Option<FinishReason>) -> &'static str {
    match reason {
        Some(FinishReason::Stop) => "STOP",
        Some(FinishReason::Length) => "LENGTH",
        Some(FinishReason::Cancelled) => "CANCELLED",
        Some(FinishReason::Deadline) => "DEADLINE",
        Some(FinishReason::Error) => "ERROR",
        _ => "NONE",
    }
}

fn end_of(events: &[Event]) -> Option<&Event> {
    events.iter().rfind(|event| event.kind == EventKind::Finished)
}

/// `"STOP 9/4 85"`.
pub fn answer(events: &[Event]) -> String {
    let end = end_of(events);
    let usage = end.map(|event| event.usage).unwrap_or_default();
    let reason = reason_name(end.and_then(|event| event.finish_reason));
    format!("{reason} {}/{} {}", usage.prompt_tokens, usage.completion_tokens, text_of(events))
}

fn kinds(session: &Session, case: &Case) -> Outcome {
    let events = events(case, session.engine(case)?.as_ref())?;
    let counted: Vec<_> = events.iter().filter(|event| event.kind != EventKind::Progress).collect();
    let runs = counted.chunk_by(|a, b| a.kind == b.kind).map(|run| {
        let name = format!("{:?}", run[0].kind).to_uppercase();
        if run.len() > 1 { format!("{name}*{}", run.len()) } else { name }
    });
    Ok(runs.collect::<Vec<_>>().join(" "))
}

fn sequences(session: &Session, case: &Case) -> Outcome {
    let events = events(case, session.engine(case)?.as_ref())?;
    let count = events.iter().map(|event| event.sequence + 1).max().unwrap_or(0);
    let text = |sequence| -> String {
        events.iter().filter(|event| event.sequence == sequence).map(|event| event.text.as_str()).collect()
    };
    Ok((0..count).map(|sequence| text(sequence) + "|").collect())
}

#[allow(clippy::cast_possible_truncation)]
fn thousandths(logprob: f64) -> i64 {
    (logprob * 1000.0 + 0.5).floor() as i64
}

fn logprobs(session: &Session, case: &Case) -> Outcome {
    let events = events(case, session.engine(case)?.as_ref())?;
    let tokens = events.iter().filter_map(|event| {
        let top = event.top_logprobs.iter().map(|top| format!("{}:{}", top.token, thousandths(top.logprob)));
        let top = top.collect::<Vec<_>>().join(",");
        event.token.map(|token| format!("{token}:{}[{top}]", thousandths(event.logprob)))
    });
    Ok(tokens.collect::<Vec<_>>().join(" "))
}

fn cancel(session: &Session, case: &Case) -> Outcome {
    let after = case.number("after", 0);
    let mut request = submit(case, session.engine(case)?.as_ref())?;
    if after == 0 {
        request.cancel();
    }
    let (mut tokens, mut reason) = (0, None);
    while let Some(event) = request.next() {
        let event = event?;
        reason = event.finish_reason.or(reason);
        tokens += i64::from(event.token.is_some());
        if event.token.is_some() && tokens == after {
            cancel_from(&request, case.kind == "cancel_elsewhere");
        }
    }
    let early = if tokens < 200 { " early" } else { " late" };
    let cancelled = reason == Some(FinishReason::Cancelled);
    Ok(format!("{}{}", reason_name(reason), if cancelled { early } else { "" }))
}

fn cancel_from(request: &Request, elsewhere: bool) {
    if elsewhere {
        let canceller = request.canceller();
        thread::spawn(move || canceller.cancel()).join().expect("cancelling throws nothing");
    } else {
        request.cancel();
    }
}

fn wait(session: &Session, case: &Case) -> Outcome {
    let request = submit(case, session.engine(case)?.as_ref())?;
    let of = |timeout| match request.wait(timeout) {
        Ok(true) => "OK",
        Ok(false) => "TIMEOUT",
        Err(error) => error.status().name(),
    };
    Ok(format!("{} {}", of(Some(Duration::ZERO)), of(None)))
}

fn busy(session: &Session, case: &Case) -> Outcome {
    let engine = session.engine(case)?;
    let mut requests = Vec::new();
    for _ in 0..case.number("count", 0) {
        match submit(case, &engine) {
            Ok(request) => requests.push(request),
            Err(error) => return Ok(failure(&error)),
        }
    }
    Ok("none".into())
}

fn threads(session: &Session, case: &Case) -> Outcome {
    let engine = session.engine(case)?;
    let generate = || events(case, &engine).map(|events| answer(&events));
    let alone = generate()?;
    let equal = thread::scope(|scope| {
        let workers: Vec<_> = (0..case.number("count", 1)).map(|_| scope.spawn(generate)).collect();
        let texts = workers.into_iter().map(|worker| worker.join().expect("nothing is thrown"));
        texts.filter(|text| text.as_ref() == Ok(&alone)).count()
    });
    Ok(format!("{equal} equal"))
}
