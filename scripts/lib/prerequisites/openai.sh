# OpenAI's Python client, which the HTTP services are tested with: an environment of its own, build/service-venv.
# Sourced by bash after prerequisites.sh.
ensure_openai() {
  local venv=$GRAFT_ROOT/build/service-venv
  compgen -G "$venv/lib/python3*/site-packages/openai-$OPENAI_VERSION.dist-info/RECORD" >/dev/null && return 0
  _python_can_venv || need_debian python3-venv
  "${GRAFT_PYTHON3:-python3}" -m venv "$venv" &&
    "$venv/bin/pip" install --disable-pip-version-check --progress-bar off "openai==$OPENAI_VERSION" ||
    die "pip could not install openai==$OPENAI_VERSION (no network?)"
}
