#!/usr/bin/env bash
# Measures. Prints a table for each question and writes bench/results.json.
# ONLY=callback measures one question.
#
# What sleeping costs is a large part of the question `blocking`, so it is asked a second time, of a VM
# whose schedulers hardly ever sleep. That one writes bench/results_busy_wait.json.
set -euo pipefail
cd "$(dirname "$0")/.."

cmake --log-level=WARNING -S bench -B build/bench -DCMAKE_BUILD_TYPE=RelWithDebInfo >/dev/null
cmake --build build/bench -j"$(nproc)"

export MIX_ENV=dev
only=${ONLY:-}

# Not `--no-start`: executors need the processes of the application.
RESULTS=bench/results.json mix run bench/run.exs

if [[ -z $only || $only == blocking ]]; then
  busy_wait='+sbwt very_long +sbwtdcpu very_long +sbwtdio very_long'
  ONLY=blocking RESULTS=bench/results_busy_wait.json ERL_FLAGS="${ERL_FLAGS:-} $busy_wait" \
    mix run bench/run.exs
fi
