#!/usr/bin/env bash
# Fetches the tools that check what is under deploy/, into a directory outside of the tree that is kept from one run to
# the next. What cannot be had here is left out: its tests are skipped then, and say so.
set -uo pipefail
cd "$(dirname "$0")"
cache="${XDG_CACHE_HOME:-$HOME/.cache}/pandotate-gateway/deploy"
mkdir -p "$cache/bin"

python() {
  cmp -s requirements.txt "$cache/python/installed.txt" && return
  rm -rf "${cache:?}/python"
  python3 -m venv "$cache/python" &&
    "$cache/python/bin/pip" install --quiet --disable-pip-version-check --retries 1 --timeout 30 -r requirements.txt &&
    cp requirements.txt "$cache/python/installed.txt"
}

# go_tool NAME PACKAGE: one that is a Go program; without Go it is left out.
go_tool() {
  [ -x "$cache/bin/$1" ] && return
  command -v go >/dev/null && (cd "$cache" && GOFLAGS=-mod=mod GOBIN="$cache/bin" go install "$2" >"$1.log" 2>&1)
}

# debian PROGRAM PACKAGE: only where this is root, and the program is not there.
debian() {
  command -v "$1" >/dev/null && return
  [ "$(id -u)" = 0 ] && apt-get install -y -q --no-install-recommends "$2" >"$cache/$2.log" 2>&1
}

# What people work with: docs/clients.md says how each is set up.
programs() {
  local wanted='@anthropic-ai/claude-code@2.1.197 @openai/codex@0.171.0 opencode-ai@1.18.33 @continuedev/cli@1.5.47'
  [ "$(cat "$cache/programs/installed.txt" 2>/dev/null)" = "$wanted" ] && return
  mkdir -p "$cache/programs"
  # shellcheck disable=SC2086
  npm install --prefix "$cache/programs" --silent --no-audit --no-fund $wanted >"$cache/programs.log" 2>&1 &&
    echo "$wanted" >"$cache/programs/installed.txt"
}

aider() {
  [ -x "$cache/aider/bin/aider" ] && return
  python3 -m venv "$cache/aider" &&
    "$cache/aider/bin/pip" install --quiet --disable-pip-version-check --retries 1 --timeout 30 aider-chat==0.86.2 >"$cache/aider.log" 2>&1
}

programs || echo 'deploy: the programs that people work with were left out'
aider || echo 'deploy: aider was left out'
python || echo 'deploy: the tools in Python were left out'
go_tool actionlint github.com/rhysd/actionlint/cmd/actionlint@v1.7.12 || echo 'deploy: actionlint was left out'
[ "$(id -u)" = 0 ] && apt-get update -q >"$cache/apt.log" 2>&1
debian buildah buildah || echo 'deploy: buildah was left out'
debian promtool prometheus || echo 'deploy: promtool was left out'
debian nginx nginx-light || echo 'deploy: nginx was left out'
debian caddy caddy || echo 'deploy: caddy was left out'
# OpenTelemetry's own receiver, which what the gateway sends is tried on.
[ -x "$cache/bin/otlp-receiver" ] || { command -v go >/dev/null && go build -C collector -buildvcs=false -gcflags='all=-N -l' -o "$cache/bin/otlp-receiver" . >"$cache/otlp-receiver.log" 2>&1; } ||
  echo "deploy: OpenTelemetry's receiver was left out"
