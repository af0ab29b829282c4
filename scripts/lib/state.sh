# What the sources are right now. Sourced by bash after common.sh.

# Every file of the work tree that git does not ignore, as it is on disk: committed, changed or new.
source_files() {
  (cd "$GRAFT_ROOT" && git ls-files --cached --others --exclude-standard -z | sort -zu |
    while IFS= read -r -d '' file; do [[ -f $file ]] && printf '%s\0' "$file"; done)
}

# One line that changes whenever a source does: the key of resumable test runs.
sources_key() {
  (cd "$GRAFT_ROOT" && source_files | xargs -0 sha256sum | sha256sum | cut -c1-20)
}

# largest_sources COUNT
largest_sources() {
  (cd "$GRAFT_ROOT" && source_files | grep -zE '\.(c|h|cpp|cu|rs|py|java|cs|go|i|cmake|in|sh)$|CMakeLists.txt$|^scripts/[^.]*$' |
    xargs -0 wc -l | sed '/ total$/d' | sort -rn | sed -n "1,${1}p")
}
