# C#: Mono's compiler and runtime. Sourced by bash after prerequisites.sh.
# shellcheck disable=SC2086
ensure_csharp() {
  command -v mcs >/dev/null && command -v mono >/dev/null || need_debian $DEBIAN_CSHARP
}
