#!/usr/bin/env bash
# Checks format and common mistakes in C++ and Elixir. Needs build/dev, for its compile commands.
set -euo pipefail
cd "$(dirname "$0")/.."

# Versions differ in what they call well formatted: those of Debian 12 decide.
clang_format=$(clang-format --version)
elixir=$(elixir --short-version 2>/dev/null)
if [[ $clang_format != *"version 14."* || $elixir != 1.14.* ]]; then
  echo "lint: expected clang-format 14 and Elixir 1.14, got: $clang_format; Elixir $elixir" >&2
  echo "lint: run it on Debian 12, or leave it to CI" >&2
  exit 1
fi

find . \( -name .git -o -name build -o -name _build -o -name deps -o -name tmp \) -prune \
  -o \( -name '*.hpp' -o -name '*.ipp' -o -name '*.cpp' \) -print0 \
  | xargs -r -0 clang-format --dry-run -Werror

commands=build/dev/compile_commands.json
if [[ -f $commands ]]; then
  sed -n 's/^ *"file": "\(.*\)",\{0,1\}$/\1/p' "$commands" | sort -u \
    | xargs -r -d '\n' -n 1 -P "$(nproc)" clang-tidy --quiet -p build/dev 2>&1 \
    | { grep -v '^[0-9]* warnings\{0,1\} generated\.$' || true; }
fi

elixir tools/rooms.exs

# Each public header stands alone: it compiles, and brings along each function of ours that is no template.
stands_alone() {
  local object
  object=$(mktemp)
  # shellcheck disable=SC2064 # now
  trap "rm -f '$object'" EXIT
  printf '#include <%s>\n' "$1" \
    | g++ -std=c++20 -Wall -Wextra -Werror -fkeep-inline-functions -Ic_include -isystem "$erlang" -c -x c++ - -o "$object"
  if nm --undefined-only --demangle "$object" | grep -F 'upcall::'; then
    echo "lint: <$1> alone leaves these of ours undefined" >&2
    return 1
  fi
}
export -f stands_alone
erlang=$(erl -noshell -eval 'io:put_chars([code:root_dir(), "/usr/include"]), halt().')
export erlang
# shellcheck disable=SC2016 # of the shell that it is for
(cd c_include && printf '%s\n' upcall.hpp upcall/*.hpp) | xargs -n 1 -P "$(nproc)" bash -ec 'stands_alone "$0"'

mix format --check-formatted
for example in examples/*/; do
  (cd "$example" && mix format --check-formatted)
done
mix compile --warnings-as-errors --force
