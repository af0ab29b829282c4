// What goes to stdout.
#pragma once

#include <nlohmann/json.hpp>

#include "handles.h"

namespace cli {

using Json = nlohmann::ordered_json;

/// A document the library handed out; Failure (INTERNAL) if it is no JSON object.
Json parse_json(const String& text);

/// One object, one line, flushed.
void print_json_line(const Json& value);

/// Flushes stdout; Failure (IO_ERROR) if anything written to it was lost.
void finish_stdout();

/// The most memory this process ever had resident, in bytes.
int64_t peak_resident_bytes();

}  // namespace cli
