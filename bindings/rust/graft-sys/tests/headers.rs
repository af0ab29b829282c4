//! The declarations against the headers, without SWIG: each is written back as C, and a C compiler that reads the headers
//! must find the same types; names and numbers must be those of the committed ABI lists.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const GENERATED: &str = include_str!("../src/generated.rs");

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

/// A Rust type of generated.rs as C spells it.
fn c_type(rust: &str) -> String {
    if let Some(inner) = rust.strip_prefix("*const ") {
        return format!("{} const *", c_type(inner));
    }
    if let Some(inner) = rust.strip_prefix("*mut ") {
        return format!("{} *", c_type(inner));
    }
    match rust {
        "c_void" => "void",
        "c_char" => "char",
        "i32" => "int32_t",
        "i64" => "int64_t",
        "f64" => "double",
        name if name.starts_with("graft_") => name,
        other => panic!("a type that no header has: {other}"),
    }
    .into()
}

/// `(name, parameters, result)` in C of each line that begins with `prefix`.
fn signatures(text: &str, prefix: &str) -> Vec<(String, Vec<String>, String)> {
    let lines = text.lines().map(str::trim).filter_map(|line| line.strip_prefix(prefix));
    lines.filter(|line| line.contains('(')).map(signature).collect()
}

fn signature(line: &str) -> (String, Vec<String>, String) {
    let (name, rest) = line.split_once('(').unwrap();
    let name = name.split([' ', '=']).next().unwrap();
    let (arguments, result) = rest.split_once(')').unwrap();
    let arguments = arguments.split(", ").filter(|part| !part.is_empty());
    let result = result.trim_end_matches([';', '>']).trim();
    let result = result.strip_prefix("-> ").map_or("void".into(), c_type);
    (name.into(), arguments.map(|part| c_type(part.split_once(": ").unwrap().1)).collect(), result)
}

fn constants() -> BTreeMap<String, i64> {
    let lines = GENERATED.lines().filter_map(|line| line.strip_prefix("pub const "));
    lines
        .map(|line| {
            let (name, rest) = line.split_once(": i32 = ").unwrap();
            (name.into(), rest.trim_end_matches(';').parse().unwrap())
        })
        .collect()
}

/// A C file that compiles only if the headers say the same.
fn as_c() -> String {
    let mut c = String::from("#include <graft/graft.h>\n");
    let functions = signatures(GENERATED, "pub fn ");
    let callbacks = signatures(GENERATED, "pub type ");
    assert_eq!(callbacks.len(), 2, "{callbacks:?}");
    for (name, arguments, result) in &functions {
        let arguments = if arguments.is_empty() { "void".into() } else { arguments.join(", ") };
        c += &format!("{result} (*const check_{name})({arguments}) = {name};\n");
    }
    for (name, arguments, result) in &callbacks {
        // both ways, since an assignment alone would let a qualifier be added
        let arguments = arguments.join(", ");
        c += &format!("typedef {result} (*mine_{name})({arguments});\n");
        c += &format!("_Static_assert(__builtin_types_compatible_p(mine_{name}, {name}), \"{name}\");\n");
    }
    for line in GENERATED.lines().filter_map(|line| line.strip_prefix("pub type ")) {
        let (name, rest) = line.split_once(" = ").unwrap();
        if !rest.starts_with("Option") {
            let c_name = c_type(rest.trim_end_matches(';'));
            c += &format!("_Static_assert(__builtin_types_compatible_p({c_name}, {name}), \"{name}\");\n");
        }
    }
    for (name, value) in constants() {
        c += &format!("_Static_assert({name} == {value}, \"{name}\");\n");
    }
    c
}

fn compile(name: &str, c: &str) -> Output {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, c).unwrap();
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
    let arguments = ["-std=gnu11", "-Wall", "-Werror", "-fsyntax-only", "-I"];
    Command::new(compiler).args(arguments).arg(root().join("capi/include")).arg(&path).output().unwrap()
}

#[test]
fn the_compiler_finds_the_same_types_in_the_headers() {
    let found = compile("declarations.c", &as_c());
    assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
}

/// What is compared must be able to differ: a wrong type, a missing parameter, a lost const, another number.
#[test]
fn the_compiler_refuses_other_types() {
    let changes = [
        ("check_graft_request_next)(graft_request *, int64_t,", "check_graft_request_next)(graft_request *, int32_t,"),
        ("check_graft_queue_wake)(graft_queue *)", "check_graft_queue_wake)(graft_queue *, int64_t)"),
        ("char const * (*const check_graft_version)", "char * (*const check_graft_version)"),
        ("mine_graft_log_callback)(void *, graft_log_level,", "mine_graft_log_callback)(void *, double,"),
        ("GRAFT_STATUS_BUSY == 6", "GRAFT_STATUS_BUSY == 5"),
    ];
    let right = as_c();
    for (from, to) in changes {
        let wrong = right.replace(from, to);
        assert_ne!(wrong, right, "{from}");
        assert!(!compile("wrong.c", &wrong).status.success(), "{to}");
    }
}

#[test]
fn every_exported_function_is_declared_and_no_other() {
    let map = std::fs::read_to_string(root().join("capi/abi/graft.map")).unwrap();
    let lines = map.lines().map(str::trim).filter_map(|line| line.strip_suffix(';'));
    let mut exported: Vec<&str> = lines.filter(|name| name.starts_with("graft_")).collect();
    exported.sort_unstable();
    let declared: Vec<String> = signatures(GENERATED, "pub fn ").into_iter().map(|found| found.0).collect();
    assert!(exported.len() > 100, "{exported:?}");
    assert_eq!(declared, exported);
}

#[test]
fn every_constant_is_that_of_the_abi_list() {
    let list = std::fs::read_to_string(root().join("capi/abi/graft.constants")).unwrap();
    let mut expected: BTreeMap<String, i64> = BTreeMap::new();
    for line in list.lines() {
        let (name, value) = line.split_once(' ').unwrap();
        expected.insert(name.into(), value.parse().unwrap());
    }
    let mut found = constants();
    assert_eq!(found.remove("GRAFT_ABI_VERSION"), Some(1)); // a macro; the list has enumerators alone
    assert_eq!(found, expected);
}
