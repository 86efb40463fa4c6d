#!/usr/bin/env bash
# Runs commands on newer Debian systems than this one, each in a root of its own under build/roots.
#
#   tools/platforms.sh prepare SUITE          make the root and install in it what the tests need
#   tools/platforms.sh run SUITE COMMAND      the same, then copy the tree in and run COMMAND there
#   tools/platforms.sh clean                  remove the roots
#
# SUITE is Debian's name of it, such as trixie; trixie-arm64 is the same for arm64, which qemu emulates. Its NIF
# libraries and C++ tests are compiled here, into the root's build/arm64, before COMMAND runs.
#
# Exit status 69: the root could not be made, or its packages could not be installed. Otherwise that of COMMAND.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly unavailable=69
roots=$PWD/build/roots
qemu=$roots/qemu

fail() {
  echo "platforms: $1" >&2
  exit "${2:-1}"
}

((EUID == 0)) || fail "roots are made and removed by root alone; type: sudo $0 $*"

# Whether a root is for another processor than this machine's.
emulated() { [[ $1 == *-arm64 ]]; }

# The mirror is that of the machine's own Debian; a root asks it in the same way.
mirror() {
  # shellcheck disable=SC2016 # apt's placeholders
  apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI)' 'Created-By: Packages' \
    | awk '$1 == "Debian" && $2 !~ /-/ && !found { print $3; found = 1 }'
}

acquire_settings() {
  apt-config dump --format '%f "%v";%n' Acquire \
    | awk '/^Acquire::(Check-Valid-Until|Retries|https?|ForceIPv[46])[: ]/ && !/"";$/'
}

# Held by whatever runs in the root, down to its last process: so `clean` sees it. The file stays.
lock() {
  mkdir -p "$roots"
  chown --reference=. build "$roots" # not root's, where another has cloned this
  exec {lock_of_root}>"$roots/$1.lock"
  flock --nonblock "$lock_of_root" || {
    echo "platforms: waiting for another run in $1" >&2
    flock "$lock_of_root"
  }
}

# Called where `set -e` does nothing, so each step is checked.
make_root() {
  local name=$1 suite=${1%-arm64} root=$roots/$1 script=() architecture=()
  [[ -d $root ]] && return
  command -v debootstrap >/dev/null \
    || { apt-get -q update && apt-get -q -y install --no-install-recommends debootstrap; } || return

  # A debootstrap that is older than a suite has no script of its name, and all new suites are made as sid is.
  [[ -e /usr/share/debootstrap/scripts/$suite ]] || script=(/usr/share/debootstrap/scripts/sid)
  local from
  from=$(mirror)
  [[ -n $from ]] || fail "apt names no mirror of Debian; add one to /etc/apt/sources.list" "$unavailable"

  echo "platforms: making $root"
  rm -rf --one-file-system "$root.part" || return
  ! emulated "$name" || architecture=(--arch=arm64 --foreign)
  {
    debootstrap --variant=minbase "${architecture[@]}" "$suite" "$root.part" "$from" "${script[@]}" \
      && if emulated "$name"; then # programs of the other processor configure packages; `lxc` makes no devices
        in_root "$root.part" env container=lxc /debootstrap/debootstrap --second-stage
      fi
  } >"$root.log" 2>&1 || { tail -n 5 "$root.log" >&2; return 1; }
  acquire_settings >"$root.part/etc/apt/apt.conf.d/90host" || return
  echo force-unsafe-io >"$root.part/etc/dpkg/dpkg.cfg.d/90root" || return # a root can be made anew
  mv "$root.part" "$root"
}

# Fetches what emulation needs, and sees that the kernel lets us have formats of programs that do not stay.
prepare_emulation() {
  [[ $(uname -m) == x86_64 ]] || fail "arm64 is emulated on x86-64 alone; this machine is $(uname -m)" "$unavailable"
  mkdir -p "$qemu"
  # Unpacked and not installed: its package tells systemd of itself, for the whole machine.
  if [[ ! -e $qemu/usr/bin/qemu-aarch64-static ]]; then
    (cd "$qemu" && rm -f ./*.deb && { apt-get -q download qemu-user-static || { apt-get -q update \
      && apt-get -q download qemu-user-static; }; } && dpkg --extract ./*.deb .) \
      || fail "qemu-user-static cannot be fetched; see above" "$unavailable"
  fi
  # Asked for all at once, one that is found would do.
  { command -v aarch64-linux-gnu-g++ && command -v cmake && command -v make; } >/dev/null || {
    apt-get -q update && apt-get -q -y install --no-install-recommends g++-aarch64-linux-gnu cmake make
  } || fail "the cross compiler cannot be installed; see above" "$unavailable"
  unshare --user --map-root-user --mount mount -t binfmt_misc binfmt_misc "$qemu/usr" \
    || fail "this kernel has no binfmt_misc for each user namespace, as Linux 6.7 and later have where user namespaces \
are allowed; arm64 cannot be emulated without one" "$unavailable"
}

# Runs "$@" in the root, where nothing of the host's is mounted. All mounts are in a namespace of the
# command's own, which ends with it; the command ends when this script does, however that is.
in_root() {
  local root=$1 how=(enter "$1")
  shift
  ! emulated "${root%.part}" || how=(emulate "$root" "$qemu")
  setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child -- tools/in_root.sh "${how[@]}" "$@"
}

# The tree without what was built: of that, the root keeps its own.
copy_tree() {
  local tree=$roots/$1/upcall
  mkdir -p "$tree"
  find "$tree" -mindepth 1 -maxdepth 1 ! -name build ! -name _build ! -name deps -exec rm -rf {} +
  tar --create --exclude=./build --exclude=./.git --exclude=_build --exclude=deps --exclude=./tmp . \
    | tar --extract --no-same-owner --directory "$tree"
}

# Compiles for a root that is emulated, as a compiler would take an hour there.
cross_build() {
  local tree=$roots/$1/upcall
  (cd "$tree" && export UPCALL_SYSROOT=$roots/$1 \
    && cmake --preset dev -B build/arm64 --toolchain tools/arm64.cmake && cmake --build build/arm64 -j"$(nproc)")
}

prepare() {
  local name=$1 for_what=()
  ! emulated "$name" || { prepare_emulation && for_what=(emulated); }
  make_root "$name" || fail "the root of $name cannot be made; see above, and $roots/$name.log" "$unavailable"
  copy_tree "$name"
  # A run that was killed may have left packages half installed.
  in_root "$roots/$name" dpkg --configure -a \
    || fail "the root of $name is broken; remove it by: tools/platforms.sh clean" "$unavailable"
  in_root "$roots/$name" /upcall/tools/deps.sh "${for_what[@]}" \
    || fail "the packages of $name cannot be installed; see above" "$unavailable"
  ! emulated "$name" || cross_build "$name"
}

clean() {
  local lock root
  rm -rf "$qemu"
  for lock in "$roots"/*.lock; do
    [[ -e $lock ]] || continue
    root=${lock%.lock}
    (
      exec {lock_of_root}>"$lock"
      flock --nonblock "$lock_of_root" || fail "$root is in use; end what runs there first"
      # Where somebody has mounted something by hand, removing would reach into it.
      ! grep -qF " $root" /proc/self/mountinfo || fail "something is mounted below $root; unmount it first"
      rm -rf --one-file-system "$root" "$root.part" "$root.log"
    )
  done
}

case "${1:-} ${2:-}" in
  "clean ") clean ;;
  "prepare "?*)
    lock "$2"
    prepare "$2"
    ;;
  "run "?*)
    (($# == 3)) || fail "expected one command after run $2"
    lock "$2"
    prepare "$2"
    in_root "$roots/$2" bash -c "cd /upcall && $3"
    ;;
  *) fail "expected prepare SUITE, run SUITE COMMAND or clean" ;;
esac
