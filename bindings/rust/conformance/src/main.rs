//! The conformance driver in Rust: bindings/conformance/README.md says what it prints.
mod generating;
mod lifetimes;
mod options;
mod queues;
mod session;
mod table;
mod text;

use std::process::ExitCode;

use session::{Session, failure};
use table::{Case, escaped};

/// The outcome of a case, or the failure that is its outcome.
type Outcome = graft::Result<String>;
type Kind = fn(&Session, &Case) -> Outcome;

fn find(kind: &str) -> Option<Kind> {
    let all = [text::find, generating::find, lifetimes::find, options::find, queues::find];
    all.iter().find_map(|find| find(kind))
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [cases, model, embedding, scratch, names @ ..] = arguments.as_slice() else {
        eprintln!("usage: graft-conformance CASES MODEL EMBEDDING_MODEL SCRATCH [NAME...]");
        return ExitCode::from(2);
    };
    let table = match std::fs::read_to_string(cases) {
        Ok(table) => table,
        Err(error) => {
            eprintln!("{cases}: {error}");
            return ExitCode::FAILURE;
        }
    };
    // a panic in a callback is an outcome, no news
    std::panic::set_hook(Box::new(|panic| {
        if !options::is_expected(panic.payload()) {
            eprintln!("{panic}");
        }
    }));
    let directories =
        [("${model}", model.clone()), ("${embedding}", embedding.clone()), ("${scratch}", scratch.clone())];
    let session = Session::new(model, embedding);
    let mut good = true;
    for case in table.lines().filter_map(|line| Case::parse(line, &directories)) {
        if !names.is_empty() && !names.contains(&case.name) {
            continue;
        }
        let Some(run) = find(&case.kind) else {
            eprintln!("{}: no kind {:?}", case.name, case.kind);
            good = false;
            continue;
        };
        let mut outcome = run(&session, &case).unwrap_or_else(|error| failure(&error));
        for (name, path) in &directories {
            outcome = outcome.replace(path, name);
        }
        println!("{}\t{}", case.name, escaped(&outcome));
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
