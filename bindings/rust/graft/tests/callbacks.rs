//! Callbacks, and what is thrown in them. The log is one for the process, so its tests are one.
mod common;

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::{Arc, Mutex};

use common::{answer, model};
use graft::{EngineOptions, Status, log};

/// Warns that a key is deprecated.
fn warn() {
    EngineOptions::new().unwrap().json(r#"{"replace_method": "auto"}"#).unwrap();
}

#[test]
fn the_log() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&lines);
    log::set_callback(move |level, line| sink.lock().unwrap().push((level, line.to_owned()))).unwrap();
    warn();
    let found = std::mem::take(&mut *lines.lock().unwrap());
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, log::Level::Warning);
    assert!(found[0].1.contains("replace_method"), "{found:?}");

    log::set_level(log::Level::Off).unwrap();
    warn();
    log::set_level(log::Level::Warning).unwrap();
    assert!(lines.lock().unwrap().is_empty());

    // what is thrown is dropped, even when it throws again then
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }
    log::set_callback(|_, _| panic_any(Bomb)).unwrap();
    warn();

    // a callback may use the library, and replace itself
    let sink = Arc::clone(&lines);
    log::set_callback(move |_, _| {
        let sink = Arc::clone(&sink);
        log::set_callback(move |level, line| sink.lock().unwrap().push((level, line.to_owned()))).unwrap();
        warn();
    })
    .unwrap();
    warn();
    assert_eq!(lines.lock().unwrap().len(), 1);
    assert_eq!(Arc::strong_count(&lines), 2, "the old callback was not dropped");
    log::reset_callback().unwrap();
    assert_eq!(Arc::strong_count(&lines), 1, "the callback was not dropped");
}

#[test]
fn progress_rises_to_one_on_this_thread() {
    let here = std::thread::current().id();
    let mut fractions = Vec::new();
    let mut options = EngineOptions::new().unwrap();
    let opened = options.threads(1).unwrap().open_with_progress(model(), |fraction, what| {
        assert_eq!(std::thread::current().id(), here);
        assert!(!what.is_empty());
        fractions.push(fraction);
        ControlFlow::Continue(())
    });
    answer(&opened.unwrap(), 2).unwrap();
    assert!(fractions.is_sorted() && fractions.last() == Some(&1.0), "{fractions:?}");
    options.open(model()).unwrap(); // the callback is gone
}

#[test]
fn a_load_can_be_given_up() {
    let mut options = EngineOptions::new().unwrap();
    let error = options.open_with_progress(model(), |_, _| ControlFlow::Break(())).unwrap_err();
    assert_eq!(error.status(), Status::Cancelled);
}

#[test]
fn a_panic_comes_back_from_open() {
    let mut options = EngineOptions::new().unwrap();
    let mut calls = 0;
    let thrown = catch_unwind(AssertUnwindSafe(|| {
        options.open_with_progress(model(), |_, _| {
            calls += 1;
            panic_any(4711)
        })
    }));
    assert_eq!(thrown.unwrap_err().downcast_ref::<i32>(), Some(&4711));
    assert_eq!(calls, 1);
    options.open(model()).unwrap(); // the callback is gone
}
