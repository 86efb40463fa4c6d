#!/usr/bin/env bash
# Runs commands on newer Debian systems than this one, each in a root of its own under build/roots.
#
#   tools/platforms.sh prepare SUITE          make the root and install in it what the tests need
#   tools/platforms.sh run SUITE COMMAND      the same, then copy the tree in and run COMMAND there
#   tools/platforms.sh clean                  remove the roots
#
# Exit status 69: the root could not be made, or its packages could not be installed. Otherwise that of COMMAND.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly unavailable=69
roots=$PWD/build/roots

fail() {
  echo "platforms: $1" >&2
  exit "${2:-1}"
}

((EUID == 0)) || fail "roots are made and removed by root alone; type: sudo $0 $*"

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
  local suite=$1 root=$roots/$1 script=()
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
  debootstrap --variant=minbase "$suite" "$root.part" "$from" "${script[@]}" >"$root.log" 2>&1 \
    || { tail -n 5 "$root.log" >&2; return 1; }
  acquire_settings >"$root.part/etc/apt/apt.conf.d/90host" || return
  mv "$root.part" "$root"
}

# Runs "$@" in the root, where nothing of the host's is mounted. All mounts are in a namespace of the
# command's own, which ends with it; the command ends when this script does, however that is.
in_root() {
  local root=$1
  shift
  # shellcheck disable=SC2016 # for the inner shell
  setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child -- bash -euc '
    root=$1
    shift
    mount -t tmpfs -o mode=755 dev "$root/dev"
    for device in null:3 zero:5 full:7 random:8 urandom:9; do
      mknod -m 666 "$root/dev/${device%:*}" c 1 "${device#*:}"
    done
    mknod -m 666 "$root/dev/tty" c 5 0
    ln -s /proc/self/fd "$root/dev/fd"
    ln -s fd/0 "$root/dev/stdin"; ln -s fd/1 "$root/dev/stdout"; ln -s fd/2 "$root/dev/stderr"
    mkdir "$root/dev/shm" "$root/dev/pts"
    mount -t tmpfs shm "$root/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts"
    ln -s pts/ptmx "$root/dev/ptmx"
    mount -t proc proc "$root/proc"
    cat /etc/resolv.conf >"$root/etc/resolv.conf"
    exec chroot "$root" env -i HOME=/root LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin \
      ${CI:+CI=$CI} TERM="${TERM:-dumb}" "$@"' in_root "$root" "$@"
}

# The tree without what was built: of that, the root keeps its own.
copy_tree() {
  local tree=$roots/$1/upcall
  mkdir -p "$tree"
  find "$tree" -mindepth 1 -maxdepth 1 ! -name build ! -name _build ! -name deps -exec rm -rf {} +
  tar --create --exclude=./build --exclude=./.git --exclude=_build --exclude=deps --exclude=./tmp . \
    | tar --extract --no-same-owner --directory "$tree"
}

prepare() {
  local suite=$1
  make_root "$suite" || fail "the root of $suite cannot be made; see above, and $roots/$suite.log" "$unavailable"
  copy_tree "$suite"
  # A run that was killed may have left packages half installed.
  in_root "$roots/$suite" dpkg --configure -a \
    || fail "the root of $suite is broken; remove it by: tools/platforms.sh clean" "$unavailable"
  in_root "$roots/$suite" /upcall/tools/deps.sh \
    || fail "the packages of $suite cannot be installed; see above" "$unavailable"
}

clean() {
  local lock root
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
