//! Memory over many cycles; run with --ignored, alone.
mod common;

use common::model;
use graft::*;

fn cycle() {
    let engine = EngineOptions::new().unwrap().threads(1).unwrap().open(model()).unwrap();
    let mut options = RequestOptions::new().unwrap();
    options.max_tokens(2).unwrap();
    let request = engine.submit(&Input::from_tokens(&[5, 9, 2]).unwrap(), Some(&options)).unwrap();
    assert!(request.map(Result::unwrap).count() > 0);
    assert!(engine.shutdown(None).unwrap());
}

unsafe extern "C" {
    /// What the allocator keeps for later is no leak.
    safe fn malloc_trim(keep: usize) -> i32;
}

fn resident_kb() -> f64 {
    malloc_trim(0);
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
#[ignore = "minutes; the full tier runs it"]
fn ten_thousand_engines_leave_nothing() {
    let cycles = std::env::var("GRAFT_CYCLES").ok().and_then(|text| text.parse().ok()).unwrap_or(10_000);
    let mut before = 0.0;
    for number in 1..=cycles {
        cycle();
        if number == cycles / 10 {
            before = resident_kb();
        }
    }
    let after = resident_kb();
    let growth = 100.0 * (after - before) / before;
    println!("resident after {}: {before} kB, after {cycles}: {after} kB, {growth:+.2} %", cycles / 10);
    assert!(growth < 1.0, "{growth} %");
}
