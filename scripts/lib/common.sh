# Shared by the commands of scripts/: where things are, named steps with their time, versions. Sourced by bash.
GRAFT_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
GRAFT_LOGS=$GRAFT_ROOT/build/logs
# shellcheck source=scripts/versions
source "$GRAFT_ROOT/scripts/versions"
export OMP_WAIT_POLICY=passive   # LibTorch's OpenMP spins by default, which ruins everything on a busy machine

# Nothing outside of the repository is written but Debian's packages and cargo's own download folder.
export PIP_NO_CACHE_DIR=1
export CCACHE_DIR=${CCACHE_DIR:-$GRAFT_ROOT/build/cache/ccache}

die() { echo "${0##*/}: $*" >&2; exit 1; }

now_ms() { local t=$EPOCHREALTIME; t=${t/[.,]/}; echo "${t%???}"; }

# step NAME COMMAND...: runs COMMAND with its output in build/logs and prints one line with the time it took. On a
# terminal the line shows how far COMMAND is; when it fails, the end of its output and the place of the rest.
# The command runs in a subshell; one that calls `die` explains itself on the last lines.
step() {
  local name=$1 log status=0 begin show="" last
  shift
  mkdir -p "$GRAFT_LOGS"
  log=$GRAFT_LOGS/$(tr -cs 'A-Za-z0-9.\n' '-' <<<"$name").log
  begin=$(now_ms)
  if [[ -t 1 ]]; then
    while sleep 1; do
      last=$(tail -c 300 "$log" 2>/dev/null | tr '\r' '\n' | tail -n 1)
      printf '\r\e[K%-34s %4d s  %.80s' "$name" $((($(now_ms) - begin) / 1000)) "$last"
    done &
    show=$!
  fi
  ("$@") </dev/null >"$log" 2>&1 || status=$?
  if [[ -n $show ]]; then
    kill "$show" 2>/dev/null
    wait "$show" 2>/dev/null || true
    printf '\r\e[K'
  fi
  local elapsed=$(($(now_ms) - begin))
  if ((status)); then
    printf '%-34s failed after %d.%d s\n' "$name" $((elapsed / 1000)) $((elapsed % 1000 / 100))
    tail -n "${GRAFT_LOG_LINES:-40}" "$log" | sed 's/^/  | /'
    echo "  all of it: ${log#"$GRAFT_ROOT"/}"
    return "$status"
  fi
  printf '%-34s %6d.%d s\n' "$name" $((elapsed / 1000)) $((elapsed % 1000 / 100))
}

# version_at_least HAVE WANT
version_at_least() { [[ -n $1 && $(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1) == "$2" ]]; }

# first version number in the output of COMMAND, empty when it cannot be run
version_of() { { "$@" 2>/dev/null || true; } | grep -oE '[0-9]+\.[0-9]+(\.[0-9]+)?' | head -n 1 || true; }

# compile jobs: one per core, and no more than memory allows (1.3 GB a job at worst)
job_count() {
  local cores memory
  cores=$(nproc)
  memory=$(awk '/^MemAvailable/ {print int($2 / 1400000)}' /proc/meminfo)
  ((memory < 1)) && memory=1
  echo "${GRAFT_JOBS:-$((cores < memory ? cores : memory))}"
}
