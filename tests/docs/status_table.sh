#!/usr/bin/env bash
# scripts/status-table writes what the results say, accepts only that, and refuses results it cannot place.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export GRAFT_STATUS_ROOT=$folder
script=$GRAFT_TEST_SOURCE/scripts/status-table
failed=0
complain() { echo "$*" >&2; failed=1; }

mkdir -p "$folder/build/test-results" "$folder/tests/oracle/families" "$folder/core/policies" "$folder/docs"
touch "$folder"/tests/oracle/families/{__init__,ab,ab_c,new}.py
echo 'policy_ab' >"$folder/core/policies/ab.cpp"
echo 'a helper' >"$folder/core/policies/helper.cpp"
good='<testcase name="a" status="run" result="completed"/>'
bad='<testcase name="b" status="run" result="completed"><failure message="no"/></testcase>'
skipped='<testcase name="c" status="run" result="skipped"><skipped/></testcase>'
left_out='<testcase name="d" status="notrun" result="suppressed"/>'
results() { echo "<testsuites>$*</testsuites>" >"$folder/build/test-results/conformance.xml"; }
suite() { echo "<testsuite name=\"$1\" tests=\"9\" failures=\"0\">$2</testsuite>"; }
page() { printf 'before\n<!-- status:begin -->\n%s\n<!-- status:end -->\nafter\n' "$1"; }

results "$(suite ab_plain/kernel "$good$bad$skipped$left_out$good")" "$(suite ab_c_plain/kernel "$good")" \
  "$(suite ab_x/none "$good")" "$(suite ab_x/none_bfloat16 "$bad")" "$(suite Tree "$bad")" \
  "$(suite ab_x/kernel_tp2 "$good")" "$(suite ab_x/kernel_tp2_nograph "$good")"
page stale >"$folder/README.md"
page stale >"$folder/docs/status.md"
"$script" --check >/dev/null 2>&1 && complain "a stale table was accepted"
[[ $(sed -n 3p "$folder/README.md") == stale ]] || complain "--check wrote"
"$script"
diff "$folder/README.md" <(page "| family | float32 | bfloat16 |
|---|---|---|
| ab | 5/8 | 0/1 |
| ab_c | 1/1 | - |
| new | - | - |") || complain "the short table is wrong"
diff "$folder/docs/status.md" <(page "| family | \`kernel\` | \`kernel\` tp 2 | \`kernel\` tp 2 replay off | \`none\` | \`none\` bfloat16 |
|---|---|---|---|---|---|
| ab | 2/5 | 1/1 | 1/1 | 1/1 | 0/1 |
| ab_c | 1/1 | - | - | - | - |
| new | - | - | - | - | - |") || complain "the full table is wrong"
"$script" --check || complain "its own table was not accepted"

refuses() { "$script" >/dev/null 2>&1 && complain "accepted: $1"; return 0; }
results "$(suite other_plain/kernel "$good")"
refuses "a suite without a family"
results "$(suite Tree "$good")"
refuses "results without a case"
results "$(suite ab_plain/kernel "$good")"
echo 'policy_lonely' >"$folder/core/policies/lonely.cpp"
refuses "a policy without cases"
rm "$folder/core/policies/lonely.cpp"
echo 'no markers' >"$folder/README.md"
refuses "a page without markers"
rm "$folder/build/test-results/conformance.xml"
refuses "no results"
((failed == 0))
