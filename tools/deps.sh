#!/usr/bin/env bash
# Installs the Debian packages that building and testing Upcall needs, and nothing where all are there.
set -euo pipefail

# Each line is a need. Debian's elixir brings the Erlang applications that mix and ExUnit use.
packages=(
  git make cmake g++ libc6-dev
  elixir erlang-dev erlang-proper
  libboost-context-dev libgtest-dev
  libsqlite3-dev unicode-data
  clang clang-format clang-tidy
)

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "make deps: this is not a Debian system, so nothing was installed." >&2
  echo "Upcall needs what Debian 12 packages as:" >&2
  printf '  %s\n' "${packages[@]}" >&2
  echo "On Debian, type: apt-get install --no-install-recommends ${packages[*]}" >&2
  exit 1
fi

# dpkg-query fails when it does not know one of the names; it still lists the others.
installed=" $(dpkg-query -W -f='${Package}=${db:Status-Status}\n' "${packages[@]}" 2>/dev/null \
  | sed -n 's/=installed$//p' | tr '\n' ' ' || true)"

missing=()
for package in "${packages[@]}"; do
  [[ $installed == *" $package "* ]] || missing+=("$package")
done

if ((${#missing[@]} == 0)); then
  echo "make deps: all ${#packages[@]} packages are installed"
  exit 0
fi

if ((EUID == 0)); then
  as_root=()
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
  as_root=(sudo -n)
else
  echo "make deps: missing packages, and neither root nor a sudo without a password to install them:" >&2
  printf '  %s\n' "${missing[@]}" >&2
  echo "Type: sudo apt-get update && sudo apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi

echo "make deps: installing ${missing[*]}"
apt_get=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0)
"${apt_get[@]}" update
"${apt_get[@]}" install --yes --no-install-recommends "${missing[@]}"
