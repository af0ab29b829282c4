#!/usr/bin/env python3
"""The parse tree of `swig -xml` as Rust declarations, on standard output.

    xml_to_rust.py graft.xml >graft-sys/src/generated.rs

Everything that the C ABI names is declared, what by_hand.i keeps from the other languages included: SWIG leaves it in
the tree. Sorted by name, so that the order of the headers does not matter. A type that this program does not know
stops it; it never guesses.
"""
import re
import sys
import xml.etree.ElementTree as ElementTree

NUMBERS = {"void": "c_void", "char": "c_char", "int32_t": "i32", "int64_t": "i64", "double": "f64"}
RESERVED = {"type", "fn", "in", "ref", "move", "box", "match", "use", "where", "loop"}


def attributes(element):
    found = element.find("attributelist")
    return {} if found is None else {a.get("name"): a.get("value") for a in found.findall("attribute")}


def parameters(element):
    """(name, encoded type) of each parameter; none for (void)."""
    every = [attributes(p) for p in element.findall("attributelist/parmlist/parm")]
    return [(a.get("name"), a["type"]) for a in every if a["type"] != "void"]


def result_of(decl):
    """The encoded part of a result that stands before its base type: 'f(p.void,int32_t).p.' gives 'p.'."""
    depth = 0
    for at, letter in enumerate(decl):
        depth += (letter == "(") - (letter == ")")
        if letter == ")" and depth == 0:
            return decl[at + 2:]
    sys.exit(f"xml_to_rust: no function: {decl!r}")


class Tree:
    def __init__(self, path):
        self.opaque, self.aliases, self.callbacks, self.functions, self.constants = {}, {}, {}, {}, {}
        self.walk(ElementTree.parse(path).getroot(), "")

    def walk(self, element, header):
        for child in element:
            name = attributes(child).get("name", "")
            if child.tag == "include":
                self.walk(child, name.rpartition("include/")[2])
            elif header.startswith("graft/"):
                self.declaration(child, name, header)

    def declaration(self, element, name, header):
        a = attributes(element)
        if element.tag == "cdecl" and a["kind"] == "function":
            self.functions[name] = (header, parameters(element), result_of(a["decl"]) + a["type"])
        elif element.tag == "cdecl" and a["kind"] == "typedef":
            if a["decl"].startswith("p.f("):
                self.callbacks[name] = (header, parameters(element), result_of(a["decl"][2:]) + a["type"])
            elif a["type"] == f"struct {name}" and not a["decl"]:
                self.opaque[name] = header
            else:
                self.aliases[name] = (header, a["decl"] + a["type"])
        elif element.tag == "enum":
            for item in map(attributes, element.findall("enumitem")):
                self.constants[item["name"]] = (header, item["enumnumval"])
        elif element.tag == "constant":
            self.constants[name] = (header, a["numval"])
        elif element.tag not in ("attributelist", "insert"):
            sys.exit(f"xml_to_rust: {header}: no Rust form for {element.tag} {name!r}")

    def rust(self, encoded):
        """SWIG's encoded type ('p.q(const).char') in Rust."""
        if encoded.startswith("p."):
            inner = encoded[2:]
            constant = inner.startswith("q(const).")
            return ("*const " if constant else "*mut ") + self.rust(inner.removeprefix("q(const)."))
        if encoded in NUMBERS:
            return NUMBERS[encoded]
        if encoded in self.opaque or encoded in self.aliases or encoded in self.callbacks:
            return encoded
        sys.exit(f"xml_to_rust: no Rust type for {encoded!r}")

    def signature(self, arguments, result):
        named = (f"{name + '_' if name in RESERVED else name}: {self.rust(encoded)}" for name, encoded in arguments)
        return f"({', '.join(named)})" + ("" if result == "void" else f" -> {self.rust(result)}")

    def write(self):
        say = print
        say("// Written by bindings/swig/generate (SWIG's parse tree of bindings/swig/graft.i): do not edit.")
        say("use core::ffi::{c_char, c_void};\nuse core::marker::{PhantomData, PhantomPinned};")
        for name, header in sorted(self.opaque.items()):
            say(f"\n/// A handle; see `{header}`.\n#[repr(C)]\npub struct {name} {{")
            say("    _bytes: [u8; 0],\n    _marker: PhantomData<(*mut u8, PhantomPinned)>,\n}")
        for name, (header, encoded) in sorted(self.aliases.items()):
            say(f"\n/// See `{header}`.\npub type {name} = {self.rust(encoded)};")
        for name, (header, arguments, result) in sorted(self.callbacks.items()):
            signature = self.signature(arguments, result)
            say(f"\n/// See `{header}`.\npub type {name} = Option<unsafe extern \"C\" fn{signature}>;")
        say()
        for name, (header, value) in sorted(self.constants.items()):
            if not re.fullmatch(r"-?\d+", value):
                sys.exit(f"xml_to_rust: {header}: {name} has no number: {value!r}")
            say(f"/// See `{header}`.\npub const {name}: i32 = {value};")
        say("\nunsafe extern \"C\" {")
        for name, (header, arguments, result) in sorted(self.functions.items()):
            say(f"    /// See `{header}`.\n    pub fn {name}{self.signature(arguments, result)};")
        say("}")


Tree(sys.argv[1]).write()
