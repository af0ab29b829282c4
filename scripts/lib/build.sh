# Configure and build. Sourced by bash after common.sh.

# build_dir PRESET
build_dir() {
  case $1 in
    release) echo "$GRAFT_ROOT/build" ;;
    asan-ubsan) echo "$GRAFT_ROOT/build-asan" ;;
    *) echo "$GRAFT_ROOT/build-$1" ;;
  esac
}

# configure PRESET [OPTION...]. All presets share one cargo folder: the text library does not depend on the preset.
configure() {
  local preset=$1
  shift
  PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin
  (cd "$GRAFT_ROOT" && cmake --preset "$preset" -DGRAFT_CARGO_TARGET_DIR="$GRAFT_ROOT/build/cargo" "$@")
}

# build PRESET [TARGET...]
build() {
  local preset=$1
  shift
  nice cmake --build "$(build_dir "$preset")" --parallel "$(job_count)" ${1:+--target "$@"}
}
