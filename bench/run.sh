#!/usr/bin/env bash
# Measures. Prints tables, and writes bench/results.json and bench/charts/*.svg.
# ONLY=callback measures one question; the others are classic, blocking, runtimes, growth, errors,
# floor and build.
#
# What sleeping costs is a large part of the question `blocking`, so it is asked a second time, of a VM
# whose schedulers hardly ever sleep. Its rows have these flags.
set -euo pipefail
cd "$(dirname "$0")/.."

cmake --log-level=WARNING -S bench -B build/bench -DCMAKE_BUILD_TYPE=RelWithDebInfo >/dev/null
cmake --build build/bench -j"$(nproc)"

# Benchee measures the classic table where Mix can reach it.
export MIX_ENV=bench
if ! { mix hex.info && mix deps.get; } </dev/null >/dev/null 2>&1; then
  export MIX_ENV=dev
  echo "Benchee is not to be had (MIX_ENV=bench mix deps.get says why): our own harness measures all"
fi

# Not `--no-start`: executors need the processes of the application.
mix run bench/run.exs

if [[ -z ${ONLY:-} || $ONLY == blocking ]]; then
  busy_wait='+sbwt very_long +sbwtdcpu very_long +sbwtdio very_long'
  CONTINUE=1 ONLY=blocking ERL_FLAGS="${ERL_FLAGS:-} $busy_wait" mix run bench/run.exs
fi
