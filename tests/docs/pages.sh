# The pages tell the truth where that is cheap to check: the README's program is the example, links lead somewhere, and
# paths named in backticks exist.
set -euo pipefail
cd "$GRAFT_TEST_SOURCE"
failed=0
complain() { echo "$*" >&2; failed=1; }

program() { sed -n '/<!-- program:begin -->/,/<!-- program:end -->/p' README.md | sed '/^<!--/d;/^```/d'; }
diff <(program) <(sed '/^\/\*/d' examples/c/ten_lines.c) || complain "README.md: the program is not examples/c/ten_lines.c"

while IFS= read -r page; do
  while IFS= read -r link; do
    target=${link%%#*}
    [[ -z $target || $target == *://* ]] && continue
    [[ -e $(dirname "$page")/$target ]] || complain "$page: the link to $target leads nowhere"
  done < <(grep -oE '\]\([^)]+\)' "$page" | sed 's/^](//;s/)$//')
  while IFS= read -r path; do
    [[ -e $path ]] || complain "$page: $path does not exist"
  done < <(grep -oE '`(capi|core|kernels|examples|tests|scripts|docs)/[A-Za-z0-9_./-]+`' "$page" | tr -d '`')
done < <(git ls-files '*.md' && ls README.md CONTRIBUTING.md docs/*.md) 
((failed == 0))
