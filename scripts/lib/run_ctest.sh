# Runs the tests of one preset and writes the counts. Sourced by bash after common.sh and build.sh.

# run_tests PRESET [CTEST ARGUMENT...]
run_tests() {
  local dir status=0
  dir=$(build_dir "$1")
  shift
  rm -rf "$dir/test-results" "$dir/ctest.xml"
  mkdir -p "$dir/test-results"
  ctest --test-dir "$dir" -j2 --output-on-failure --no-tests=error --output-junit "$dir/ctest.xml" "$@" || status=$?
  [[ -f $dir/ctest.xml ]] || return "$status"
  python3 "$GRAFT_ROOT/scripts/lib/count_tests.py" "$dir/ctest.xml" "$dir/test-results" | tee "$dir/counts.txt"
  tail -n 1 "$dir/counts.txt" >"$GRAFT_COUNTS"
  return "$status"
}
