#!/usr/bin/env bash
# Measures. Prints a table for each question and writes bench/results.json.
# ONLY=callback measures one question.
set -euo pipefail
cd "$(dirname "$0")/.."

cmake --log-level=WARNING -S bench -B build/bench -DCMAKE_BUILD_TYPE=RelWithDebInfo >/dev/null
cmake --build build/bench -j"$(nproc)"

# Upcall is a library without processes of its own: nothing has to be started.
MIX_ENV=dev mix run --no-start bench/run.exs
