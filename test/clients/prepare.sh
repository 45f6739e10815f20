#!/usr/bin/env bash
# Fetches and builds the clients that are no packages of npm's, into a directory outside of the tree that is kept
# from one run to the next. What cannot be had here is left out, and said: its suite is skipped then.
set -uo pipefail
cd "$(dirname "$0")"
cache="${XDG_CACHE_HOME:-$HOME/.cache}/pandotate-gateway/clients"
mkdir -p "$cache"

# environment NAME REQUIREMENTS: a virtual environment of Python's, made again when the requirements change.
environment() {
  cmp -s "$2" "$cache/$1/installed.txt" && return
  rm -rf "${cache:?}/$1"
  python3 -m venv "$cache/$1" &&
    "$cache/$1/bin/pip" install --quiet --disable-pip-version-check --retries 1 --timeout 20 -r "$2" &&
    cp "$2" "$cache/$1/installed.txt"
}

# Built without optimising, which takes half the time.
go_client() {
  go build -C go -buildvcs=false -gcflags='all=-N -l' -o "$cache/go-client" . ||
    { rm -f "$cache/go-client"; return 1; }
}

java_client() {
  cat java/pom.xml java/Main.java >"$cache/java.new"
  cmp -s "$cache/java.new" "$cache/java/built" && return
  rm -rf "${cache:?}/java"
  mkdir -p "$cache/java" &&
    mvn -q -B -f java/pom.xml dependency:build-classpath "-Dmdep.outputFile=$cache/java/classpath" &&
    javac -cp "$(cat "$cache/java/classpath")" -d "$cache/java/classes" java/Main.java &&
    mv "$cache/java.new" "$cache/java/built"
}

# prepare TITLE COMMAND...: in the background; what it says is kept in a file.
prepare() {
  local title="$1" log="$cache/$1.log"
  shift
  ("$@" >"$log" 2>&1 || echo "clients: $title was left out; $log says why") &
}

prepare python environment python python/requirements.txt
prepare llamaindex environment llamaindex python/requirements-llamaindex.txt
if command -v go >/dev/null; then prepare go go_client; else echo 'clients: there is no go here'; fi
if command -v mvn >/dev/null && command -v javac >/dev/null; then
  prepare java java_client
else
  echo 'clients: there is no JDK with Maven here'
fi
wait
