//! What one rendering may use.

use std::time::Duration;

/// Bytes of a template. The longest that models bring have some 50 KiB.
pub const TEMPLATE_BYTES: usize = 1 << 20;
/// Bytes of the JSON of messages, and of options.
pub const JSON_BYTES: usize = 8 << 20;
/// Bytes of the finished text.
pub const OUTPUT_BYTES: usize = 16 << 20;
/// Bytes of a message about a failure: it may quote what the template was given.
pub const MESSAGE_BYTES: usize = 4 << 10;
/// Levels of lists and mappings that `tojson` writes.
pub const JSON_DEPTH: usize = 200;

/// Fuel pays for instructions (1 each) and for the bytes that they make (1 for 64).
const BASE_FUEL: u64 = 1_000_000;
/// Every byte of input may be looked at this often, and 64 times that.
const FUEL_PER_INPUT_BYTE: u64 = 1;
/// Nested values are built with 1.5 fuel a level and freed by recursion.
const STACK_PER_FUEL: u64 = 512;
const BASE_STACK: u64 = 64 << 20;

pub fn fuel(input_bytes: usize) -> u64 {
    BASE_FUEL + FUEL_PER_INPUT_BYTE * input_bytes as u64
}

/// Stack of the thread that renders; what is not touched costs nothing.
pub fn stack_bytes(fuel: u64) -> usize {
    (BASE_STACK + STACK_PER_FUEL * fuel) as usize
}

/// Memory for the values: twice what the fuel pays for, and the input.
pub fn memory_bytes(input_bytes: usize) -> usize {
    (128 << 20) + 32 * input_bytes
}

pub const TIME: Duration = Duration::from_secs(15);
