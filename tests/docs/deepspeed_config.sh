#!/usr/bin/env bash
# docs/deepspeed-config.md has every key of capi/src/deepspeed_keys.cpp with its alias, effect and preset, and no other.
set -euo pipefail
cd "$GRAFT_TEST_SOURCE"
code=$(sed -nE 's/^ *\{"([^"]+)", "([^"]*)", "[^"]*", Effect::([a-z]+), "(([^"\\]|\\.)*)", .*/\1|\2|\3|\4/p' capi/src/deepspeed_keys.cpp |
  sed 's/\\"/"/g' | sort)
page=$(sed -nE 's/^\| `([^`]+)` \| `?([^`|]*[^`| ])?`? *\| ([a-z]+) \| `([^`]*)` \| .*/\1|\2|\3|\4/p' docs/deepspeed-config.md | sort)
(($(wc -l <<<"$code") == $(grep -c 'Effect::' capi/src/deepspeed_keys.cpp))) || { echo "not every row was read" >&2; exit 1; }
diff <(echo "$code") <(echo "$page") || { echo "docs/deepspeed-config.md and capi/src/deepspeed_keys.cpp differ" >&2; exit 1; }
