# Sourced by tests that hide a part of the file system from themselves.

# own_mounts COMMAND...: runs it in a mount namespace of its own; nobody else sees what it mounts.
own_mounts() {
  local how=(unshare --mount)
  [[ $(id -u) == 0 ]] || how+=(--map-root-user)
  # In a changed root "/" is no mount of its own, and how mounts spread there cannot be set.
  "${how[@]}" -- true 2>/dev/null || how+=(--propagation unchanged)
  "${how[@]}" -- "$@"
}
