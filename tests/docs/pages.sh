#!/usr/bin/env bash
# The pages tell the truth where that is cheap to check: the README's program is the example, its sample output is what the
# command says, links lead somewhere, paths and names in backticks exist, commands can be run, and docs/errors.md has every
# status.
set -euo pipefail
cd "$GRAFT_TEST_SOURCE"
failed=0 checked=0
complain() { echo "$*" >&2; failed=1; }
mapfile -t pages < <(git ls-files --cached --others --exclude-standard '*.md')
((${#pages[@]} > 5)) || complain "found only ${#pages[@]} pages"

between() { sed -n "/<!-- $1:begin -->/,/<!-- $1:end -->/p" README.md | sed '/^<!--/d;/^```/d'; }
outside_blocks() { awk '/^ *```/ { block = !block; next } !block' "$1"; }
in_sh_blocks() { awk '/^ *```/ { sh = !sh && /```sh/; next } sh' "$1"; }
words() { outside_blocks "$1" | grep -oE '`[^` ]+`' | tr -d '`' | sort -u || true; }

# From the first #include on: the comment above it speaks to readers of the file.
diff <(between program) <(sed -n '/^#include/,$p' examples/c/ten_lines.c) ||
  complain "README.md: the program is not examples/c/ten_lines.c"

sample=$(between output)
command=${sample%%$'\n'*} expected=${sample#*$'\n'}
[[ $command == '$ build/bin/graft run examples/model "'*'" --chat --greedy' ]] || complain "README.md: unexpected sample command: $command"
prompt=${command#*\"} prompt=${prompt%\"*}
found=$("$GRAFT_CLI" run examples/model "$prompt" --chat --greedy 2>/dev/null) || complain "README.md: the sample command fails"
[[ $found == "$expected" ]] || complain "README.md: the sample command prints '$found', the page says '$expected'"

check_link() {  # PAGE TARGET
  local target=${2%%#*}
  [[ -z $target || $target == *://* || $target == mailto:* ]] || [[ -e $(dirname "$1")/$target ]] ||
    complain "$1: the link to $target leads nowhere"
}

# A path may hold <placeholders>; then something must be there that fits. What a build makes is not looked for.
check_path() {  # PAGE PATH
  local pattern=${2%/}
  while [[ $pattern =~ ^([^\<]*)\<[^\>]*\>(.*)$ ]]; do pattern="${BASH_REMATCH[1]}*${BASH_REMATCH[2]}"; done
  compgen -G "$pattern" >/dev/null || complain "$1: $2 does not exist"
}

check_name() {  # PAGE NAME
  git grep -qwF --untracked -e "$2" -- '*.h' '*.c' '*.cpp' '*.cc' '*.cmake' '*.map' '*.sh' '*.rs' CMakeLists.txt tests/CMakeLists.txt ':!tests/docs' ||
    complain "$1: nothing is called $2"
}

check_command() {  # PAGE LINE
  local -a word
  read -ra word <<<"${2%%#*}"
  while [[ ${word[0]-} =~ ^[A-Z_]+= ]]; do word=("${word[@]:1}"); done
  ((${#word[@]})) || return 0
  case ${word[0]} in
    cmake | ctest) ;;
    .venv/bin/python) [[ -f ${word[1]} ]] || complain "$1: ${word[1]} does not exist" ;;
    *) [[ -f ${word[0]} && -x ${word[0]} ]] || complain "$1: ${word[0]} is no command" ;;
  esac
  local i next noun program=${word[0]}
  [[ $program != .venv/* ]] || program=${word[1]}
  for ((i = 1; i < ${#word[@]}; ++i)); do
    next=${word[i + 1]-}
    case ${word[i]} in
      --preset) grep -q "\"name\": \"$next\"" CMakePresets.json || complain "$1: no preset $next" ;;
      --target) noun=${next%_tests}
        compgen -G "tests/$noun/*_test.cpp" >/dev/null || complain "$1: no target $next" ;;
      -R) noun=${next//[\'^\$]/}
        [[ -d tests/$noun ]] || complain "$1: no tests of $noun" ;;
      --only) for next in "${word[@]:i+1}"; do
          compgen -G "scripts/tests.d/*$next*" >/dev/null || complain "$1: no part $next"
        done ;;
      --*) [[ $program != */* ]] || grep -q -e "\"${word[i]}\"" -e "${word[i]})" -e "= ${word[i]} ]" "$program" ||
        complain "$1: $program does not know ${word[i]}" ;;
    esac
  done
}

for page in "${pages[@]}"; do
  while IFS= read -r link; do
    check_link "$page" "$link"
    checked=$((checked + 1))
  done < <(outside_blocks "$page" | grep -oE '\]\([^)]+\)' | sed 's/^](//;s/)$//' || true)
  while IFS= read -r word; do
    if [[ $word =~ ^(capi|core|kernels|bindings|examples|tests|scripts|docs)/[]A-Za-z0-9_.*\<\>/-]*$ ]]; then
      check_path "$page" "$word"
    elif [[ $word =~ ^(graft|GRAFT)_[A-Za-z0-9_]+(\(\))?$ && $word != *_ ]]; then
      check_name "$page" "${word%()}"
    else
      continue
    fi
    checked=$((checked + 1))
  done < <(words "$page")
  while IFS= read -r line; do
    check_command "$page" "$line"
    checked=$((checked + 1))
  done < <(in_sh_blocks "$page")
done

diff <(grep -oE '^ *GRAFT_STATUS_[A-Z_]+ =' capi/include/graft/status.h | tr -d ' =' | sort) \
  <(grep -oE '^\| `GRAFT_STATUS_[A-Z_]+' docs/errors.md | tr -d '| `' | sort) ||
  complain "docs/errors.md does not have the statuses of capi/include/graft/status.h"

echo "${#pages[@]} pages, $checked links, paths, names and commands"
((checked > 100)) || complain "only $checked things were checked"
((failed == 0))
