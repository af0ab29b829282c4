# Rust for the bindings. Sourced by bash after prerequisites.sh.

# ensure_rust: cargo and rustc are part of the toolchain.
ensure_rust() { ensure_toolchain; }

# ensure_rust_lint: clippy and rustfmt as well.
ensure_rust_lint() {
  ensure_rust
  { cargo clippy --version && cargo fmt --version; } >/dev/null 2>&1 && return 0
  # shellcheck disable=SC2086
  need_debian $DEBIAN_RUST_LINT
}
