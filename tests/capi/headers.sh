#!/bin/bash
# Compiles each public header alone, as C99, C11, C17 and C++20, with every compiler there is and warnings as errors.
set -u
include=$(cd "$(dirname "$0")/../../capi/include" && pwd)
warnings="-Wall -Wextra -Wpedantic -Werror -Wconversion -Wshadow"
tried=0 failed=0
compile() {  # COMPILER LANGUAGE STANDARD HEADER
  tried=$((tried + 1))
  if ! echo "#include <graft/$4>" | "$1" -x "$2" "-std=$3" $warnings ${5-} -I"$include" -fsyntax-only -; then
    echo "FAILED: $4 alone with $1 -std=$3" >&2
    failed=$((failed + 1))
  fi
}
for header in "$include"/graft/*.h; do
  name=${header##*/}
  for compiler in gcc clang clang-16; do
    command -v "$compiler" > /dev/null || continue
    for standard in c99 c11 c17; do
      compile "$compiler" c "$standard" "$name" "-Wstrict-prototypes -Wmissing-prototypes"
    done
    compile "$compiler" c++ c++20 "$name"
  done
done
echo "$tried compilations, $failed failed"
[ "$tried" -gt 0 ] && [ "$failed" = 0 ]
