#!/usr/bin/env bash
# What a change needs before a commit, in little time: formats and linters of what has changed since HEAD, and the tests
# that are not slow: neither tagged so, nor of what compilers refuse. `make test`, `make lint` and `make sanitize` are the
# whole. Needs build/dev.
set -euo pipefail
cd "$(dirname "$0")/.."

commands=build/dev/compile_commands.json
[[ -e $commands ]] || {
  echo "check: $commands is not there; type: make check" >&2
  exit 1
}

changed=$({ git diff --name-only --diff-filter=d HEAD; git ls-files --others --exclude-standard; } | sort -u)
of_kind() { grep -E "$1" <<<"$changed" || true; }

# Linters and tests at once: most of the tests wait.
lint_output=$(mktemp)
trap 'kill "${lint:-}" 2>/dev/null || true; rm -f "$lint_output"' EXIT
(
  of_kind '\.(hpp|ipp|cpp)$' | xargs -r -d '\n' clang-format --dry-run -Werror
  # A header is linted by way of the runtime, and of NIFs that have what is not in that.
  {
    of_kind '\.cpp$' | sed "s|^|$PWD/|"
    if [[ -n $(of_kind '^c_include/') ]]; then printf '%s\n' "$PWD"/c_include/upcall/src/*.cpp "$PWD"/test/native/{sequence,executor_function,task}_nif.cpp; fi
  } | sort -u \
    | { grep -xFf <(sed -n 's/^ *"file": "\(.*\)",\{0,1\}$/\1/p' "$commands") || true; } \
    | xargs -r -d '\n' -n 1 clang-tidy --quiet -p build/dev 2>&1 \
    | { grep -v '^[0-9]* warnings\{0,1\} generated\.$' || true; }
  elixir tools/rooms.exs
  mix format --check-formatted
) >"$lint_output" 2>&1 &
lint=$!

status=0
ctest --test-dir build/dev --output-on-failure -j"$(nproc)" -E '^(refused|allowed)' || status=$?
UPCALL_NATIVE_DIR=$PWD/build/dev/native tools/mix_test.sh --quick || status=$?
wait "$lint" || status=$?
cat "$lint_output"
((status == 0)) || echo "check: failed; see above" >&2
exit "$status"
