//! Options, policies, measuring, callbacks.
use std::any::Any;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::{Arc, Mutex};

use graft::{EngineOptions, Input, Policy, RequestOptions, log};

use crate::session::{Session, events, open};
use crate::table::Case;
use crate::{Kind, Outcome};

pub fn find(kind: &str) -> Option<Kind> {
    Some(match kind {
        "engine_options" => |_, case| ok(EngineOptions::new()?.json(case.text("json"))),
        "request_options" => |_, case| ok(RequestOptions::new()?.json(case.text("json"))),
        "set" => set,
        "policy" => |_, case| ok(Policy::from_json(case.text("json"))),
        "row_parallel" => |_, case| {
            let names: Vec<&str> = case.text("names").split(',').filter(|name| !name.is_empty()).collect();
            ok(Policy::row_parallel(case.text("class"), &names))
        },
        "empty_arrays" => empty_arrays,
        "profile" => profile,
        "profile_off" => |session, case| ok(session.engine(case)?.take_profile()),
        "log" => log_line,
        "log_throws" => log_throws,
        "progress" => progress,
        "progress_cancel" => |_, case| {
            let mut options = EngineOptions::new()?;
            ok(options.open_with_progress(case.text("path"), |_, _| ControlFlow::Break(())))
        },
        "progress_throws" => progress_throws,
        _ => return None,
    })
}

fn ok<T>(result: graft::Result<T>) -> Outcome {
    result.map(|_| "ok".into())
}

fn set(_: &Session, case: &Case) -> Outcome {
    let (mut request, mut engine) = (RequestOptions::new()?, EngineOptions::new()?);
    let real = || case.text("value").parse().expect("a number");
    let whole = || case.number("value", 0);
    match case.text("name") {
        "temperature" => ok(request.temperature(real())),
        "top_p" => ok(request.top_p(real())),
        "max_tokens" => ok(request.max_tokens(whole())),
        "top_k" => ok(request.top_k(whole())),
        "seed" => ok(request.seed(whole())),
        "threads" => ok(engine.threads(whole())),
        "tensor_parallel" => ok(engine.tensor_parallel(whole())),
        other => panic!("no setter {other}"),
    }
}

fn empty_arrays(session: &Session, _: &Case) -> Outcome {
    Input::new()?.tokens(&[])?.decoder_tokens(&[])?.token_types(&[])?;
    RequestOptions::new()?.logit_bias(&[])?.allowed_tokens(&[])?.banned_tokens(&[])?.stop_tokens(&[])?;
    let text = session.tokenizer()?.decode(&[], true)?;
    Ok(if text.is_empty() { "ok".into() } else { text })
}

fn profile(session: &Session, case: &Case) -> Outcome {
    let engine = open(&session.model, None)?;
    engine.profile(true)?;
    events(case, &engine)?;
    let taken = engine.take_profile()?;
    let times = taken.milliseconds()?;
    let forwards = times.len() == taken.count() && times.first().is_some_and(|time| *time > 0.0);
    let table = taken.table()?;
    let share = table.split_once("\"explained\":").map(|(_, rest)| rest.trim_start());
    let share = share.and_then(|rest| rest.split([',', '}']).next()).and_then(|number| number.trim().parse().ok());
    let explained = share.is_some_and(|share: f64| share > 0.5);
    let of = |good, yes: &'static str, no: &'static str| if good { yes } else { no };
    Ok(format!("{} {}", of(forwards, "forwards", "none"), of(explained, "explained", "unexplained")))
}

fn log_line(_: &Session, case: &Case) -> Outcome {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&lines);
    log::set_callback(move |level, line| sink.lock().expect("unpoisoned").push(format!("{} {line}", level.code())))?;
    let set = ok(EngineOptions::new()?.json(case.text("json")));
    log::reset_callback()?;
    set?;
    Ok(lines.lock().expect("unpoisoned").first().cloned().unwrap_or_default())
}

/// What the callbacks throw.
struct Expected;

pub fn is_expected(payload: &dyn Any) -> bool {
    payload.is::<Expected>()
}

fn log_throws(_: &Session, case: &Case) -> Outcome {
    log::set_callback(|_, _| panic_any(Expected))?;
    let set = ok(EngineOptions::new()?.json(case.text("json")));
    log::reset_callback()?;
    set
}

fn progress(_: &Session, case: &Case) -> Outcome {
    let mut told = Vec::new();
    EngineOptions::new()?.open_with_progress(case.text("path"), |fraction, what| {
        told.push((fraction, what.is_empty()));
        ControlFlow::Continue(())
    })?;
    let rising = told.is_sorted_by(|a, b| a.0 <= b.0) && told.iter().all(|(_, nothing)| !nothing);
    let to_one = told.last().is_some_and(|(fraction, _)| (fraction - 1.0).abs() < f64::EPSILON);
    Ok(if rising && to_one { "rising to 1" } else { "not rising to 1" }.into())
}

fn progress_throws(_: &Session, case: &Case) -> Outcome {
    let mut options = EngineOptions::new()?;
    let path = case.text("path");
    let opened = catch_unwind(AssertUnwindSafe(|| options.open_with_progress(path, |_, _| panic_any(Expected))));
    match opened {
        Err(payload) if is_expected(payload.as_ref()) => Ok("thrown".into()),
        Err(_) => Ok("something else was thrown".into()),
        Ok(opened) => opened.map(|_| "opened".into()),
    }
}
