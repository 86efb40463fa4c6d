#!/usr/bin/env bash
# Runs the ExUnit suite, in several VMs at once, as most of the time of its tests is waiting. `--sanitized` takes the NIF
# libraries of the `asan` preset: AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer. `--quick` leaves out
# what is tagged slow. Other arguments go to `mix test`, which then runs in one VM.
set -euo pipefail
cd "$(dirname "$0")/.."

mix=(mix)
if [[ ${1:-} == --sanitized ]]; then
  shift
  reports=$PWD/build/asan/reports
  rm -rf "$reports"
  mkdir -p "$reports"

  # A preloaded libasan looks __cxa_throw up at start; libstdc++ has to be there by then.
  preload="$(g++ -print-file-name=libasan.so) $(g++ -print-file-name=libubsan.so) $(g++ -print-file-name=libstdc++.so.6)"

  # abort_on_error ends the VM at the first memory error. exitcode=0 keeps leaks, which sh and erts
  # have of their own, from failing a process: the reports are searched below instead. erts has no
  # frame pointers: without the slow unwinder, memory from enif_alloc would not name who asked for it.
  # intercept_tls_get_addr=0: the interceptor takes some thread-local blocks for those of an old C library,
  # and the leak check then dies of the sizes that it thinks they have; it finds them without.
  # detect_stack_use_after_return=0, as with g++ 12: with newer ones locals are beside the stack, and the leak check
  # does not find what a parked frame refers to from there.
  # Of OTP 29 and later it does not find what schedulers refer to, and so takes thousands of the VM's own objects, and
  # ours that hang off them, for lost.
  leaks=1
  otp=$(erl -noshell -eval 'io:put_chars(erlang:system_info(otp_release)), halt().')
  ((otp < 29)) || leaks=0
  # The caller's ASAN_OPTIONS come last, so that they win.
  asan_options="log_path=$reports/report:abort_on_error=1:detect_leaks=$leaks"
  asan_options+=":fast_unwind_on_malloc=0:malloc_context_size=15:intercept_tls_get_addr=0"
  asan_options+=":detect_stack_use_after_return=0"
  asan_options+=":${ASAN_OPTIONS:-}"
  lsan_options="exitcode=0:print_suppressions=0:suppressions=$PWD/tools/lsan_suppressions.txt"
  ubsan_options="print_stacktrace=1:halt_on_error=1:abort_on_error=1"

  # erts' own allocators reuse memory that the sanitizer would poison; `+Mea min` hands all to malloc.
  mix=(env UPCALL_NATIVE_DIR="$PWD/build/asan/native" UPCALL_SANITIZER=address
    LD_PRELOAD="$preload" ASAN_OPTIONS="$asan_options" LSAN_OPTIONS="$lsan_options"
    UBSAN_OPTIONS="$ubsan_options" elixir --erl "+Mea min" -S mix)
fi

# Once, and not by each VM. Without the sanitizers, as that is several times faster.
env MIX_ENV=test mix compile --warnings-as-errors

select=()
if [[ ${1:-} == --quick ]]; then
  shift
  select=(--exclude slow)
fi

status=0
if (($# > 0)); then
  "${mix[@]}" test --warnings-as-errors "${select[@]}" "$@" || status=$?
else
  output=$(mktemp -d)
  parts=4
  running=()
  trap 'kill "${running[@]}" 2>/dev/null || true; rm -rf "$output"' EXIT
  for ((part = 1; part <= parts; ++part)); do
    MIX_TEST_PARTITION=$part "${mix[@]}" test --warnings-as-errors --partitions "$parts" "${select[@]}" >"$output/$part" 2>&1 &
    running+=($!)
  done
  for ((part = 1; part <= parts; ++part)); do
    wait "${running[part - 1]}" || status=$?
    cat "$output/$part"
  done
fi

if [[ -n ${reports:-} ]]; then
  # Tests load copies of the libraries, too, from ExUnit's temporary folders, which are named after them.
  ours='[Uu]pcall|/native/[^/ ]*_nif\.'
  blamed=$(grep -rlE "$ours" "$reports" || true)
  if [[ -n $blamed ]]; then
    echo "sanitizer reports that name our frames:" >&2
    while read -r report; do
      echo "== $report" >&2
      cat "$report" >&2
    done <<<"$blamed"
    exit 1
  fi
fi
exit "$status"
