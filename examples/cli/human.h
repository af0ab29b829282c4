// JSON documents for people.
#pragma once

#include <cstdio>

#include "output.h"

namespace cli {

/// Any JSON object as indented text: one key a line, byte counts with their unit, module trees (objects with
/// "children") one module a line.
void print_human(const Json& value, std::FILE* file);

}  // namespace cli
