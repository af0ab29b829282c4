# First line of every part in scripts/tests.d.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$GRAFT_ROOT/scripts/lib/prerequisites.sh"
source "$GRAFT_ROOT/scripts/lib/build.sh"
source "$GRAFT_ROOT/scripts/lib/run_ctest.sh"
source "$GRAFT_ROOT/scripts/lib/state.sh"
cd "$GRAFT_ROOT"
PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin

# A part that only prepares counts as no test, unless it fails.
counts_nothing() { echo "0 0" >"$GRAFT_COUNTS"; }
