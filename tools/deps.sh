#!/usr/bin/env bash
# Installs the Debian packages that building and testing Upcall needs, and nothing where all are there.
# `tools/deps.sh bench` installs the runtimes too that the benchmarks compare Upcall to, where it can;
# `tools/deps.sh emulated` what tests need at run time, on a system that is compiled for elsewhere.
set -euo pipefail

# Each line is a need. Debian's elixir brings the Erlang applications that mix and ExUnit use.
packages=(
  git make g++ libc6-dev
  elixir erlang-dev erlang-proper
  libboost-context-dev libgtest-dev
  libsqlite3-dev unicode-data
)
[[ ${1:-} == emulated ]] || packages+=(cmake clang clang-format clang-tidy)

optional=()
if [[ ${1:-} == bench ]]; then
  optional=(gnuplot-nox python3-dev default-jdk-headless lua5.4 liblua5.4-dev)
  # Node.js of another packaging has its headers beside it, and Debian's packages conflict with it.
  node=$(realpath "$(command -v node)" 2>/dev/null || true)
  [[ -f ${node%/bin/*}/include/node/node_api.h ]] || optional+=(nodejs libnode-dev)
fi

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "make deps: this is not a Debian system, so nothing was installed." >&2
  echo "Upcall needs what Debian 12 packages as:" >&2
  printf '  %s\n' "${packages[@]}" >&2
  echo "On Debian, type: apt-get install --no-install-recommends ${packages[*]}" >&2
  exit 1
fi

# dpkg-query fails when it does not know one of the names; it still lists the others.
installed=" $(dpkg-query -W -f='${Package}=${db:Status-Status}\n' \
  "${packages[@]}" "${optional[@]}" 2>/dev/null | sed -n 's/=installed$//p' | tr '\n' ' ' || true)"

missing_of() {
  for package; do
    [[ $installed == *" $package "* ]] || echo "$package"
  done
}
mapfile -t missing < <(missing_of "${packages[@]}")
mapfile -t missing_optional < <(missing_of "${optional[@]}")

if ((${#missing[@]} + ${#missing_optional[@]} == 0)); then
  echo "make deps: all $((${#packages[@]} + ${#optional[@]})) packages are installed"
  exit 0
fi

go_on_without() {
  echo "make deps: going on without some of: ${missing_optional[*]}" >&2
  echo "To compare Upcall to them as well, type: apt-get install ${missing_optional[*]}" >&2
}

if ((EUID == 0)); then
  as_root=()
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
  as_root=(sudo -n)
elif ((${#missing[@]} == 0)); then
  go_on_without
  exit 0
else
  echo "make deps: missing packages, and neither root nor a sudo without a password to install them:" >&2
  printf '  %s\n' "${missing[@]}" >&2
  echo "Type: sudo apt-get update && sudo apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi

apt_get=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0)
install() {
  echo "make deps: installing $*"
  "${apt_get[@]}" update && "${apt_get[@]}" install --yes --no-install-recommends "$@"
}

if ((${#missing_optional[@]} == 0)); then
  install "${missing[@]}"
elif ! install "${missing[@]}" "${missing_optional[@]}"; then
  go_on_without
  ((${#missing[@]} == 0)) || install "${missing[@]}"
fi
