#!/usr/bin/env bash
# Runs a command in a root for tools/platforms.sh, which gives it namespaces of mounts and processes of its own.
#
#   tools/in_root.sh enter ROOT COMMAND…            where ROOT has the processor of this machine
#   tools/in_root.sh emulate ROOT QEMU COMMAND…     where the qemu-user-static that is unpacked in QEMU runs its programs
#
# The kernel is told how to run such programs in a user namespace, which has formats of programs of its own: nothing of
# that stays.
set -euo pipefail
how=${1:-} root=${2:-}
shift $(($# < 2 ? $# : 2))

mount_all() {
  mount -t tmpfs -o mode=755 dev "$root/dev"
  local device
  for device in null:3 zero:5 full:7 random:8 urandom:9; do
    mknod -m 666 "$root/dev/${device%:*}" c 1 "${device#*:}"
  done
  mknod -m 666 "$root/dev/tty" c 5 0
  ln -s /proc/self/fd "$root/dev/fd"
  ln -s fd/0 "$root/dev/stdin"
  ln -s fd/1 "$root/dev/stdout"
  ln -s fd/2 "$root/dev/stderr"
  mkdir "$root/dev/shm" "$root/dev/pts"
  mount -t tmpfs shm "$root/dev/shm"
  mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts"
  ln -s pts/ptmx "$root/dev/ptmx"
  mount -t proc proc "$root/proc"
  cat /etc/resolv.conf >"$root/etc/resolv.conf"
}

# The command is not the first process of its namespace, which signals do not end: an emulator waits for ever for the
# one by which it means to end itself.
run() {
  chroot "$root" env -i HOME=/root LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    ${CI:+CI=$CI} TERM="${TERM:-dumb}" "$@"
}

case $how in
  enter)
    mount_all
    run "$@"
    ;;
  emulate)
    mount_all
    mkdir "$root/dev/formats"
    mkfifo "$root/dev/unshared" "$root/dev/mapped"
    exec {unshared}<>"$root/dev/unshared" {mapped}<>"$root/dev/mapped"
    # Gives this process, once it is in its user namespace, all users that there are here.
    (
      read -r <&"$unshared"
      for map in uid_map gid_map; do
        awk '{ print $1, $1, $3 }' "/proc/self/$map" >"$root/proc/$$/$map" || { echo no >&"$mapped" && exit; }
      done
      echo yes >&"$mapped"
    ) &
    # The shell in that namespace has no user before, and may open no file that is not everybody's; what it executes
    # afterwards is root's.
    # shellcheck disable=SC2016 # for the inner shell
    exec unshare --user --mount bash -euc '
      unshared=$1 mapped=$2
      shift 2
      echo >&"$unshared"
      read -r has_users <&"$mapped"
      [[ $has_users == yes ]]
      exec {unshared}>&- {mapped}>&-
      exec bash "$@"' in_root "$unshared" "$mapped" "$0" with_formats "$root" "$@"
    ;;
  with_formats)
    qemu=$1
    shift
    formats=$root/dev/formats
    mount -t binfmt_misc binfmt_misc "$formats"
    # The interpreter is opened now, outside of the root (flag F of the line).
    sed "s,:/usr/,:$qemu/usr/," "$qemu/usr/lib/binfmt.d/qemu-aarch64.conf" >"$formats/register"
    # The VM's compiler maps its code twice, and writes by one what it runs by the other: qemu does not see that.
    run UPCALL_EMULATED=1 ERL_FLAGS="+JMsingle true" "$@"
    ;;
  *)
    echo "in_root: expected enter or emulate, a root and a command" >&2
    exit 1
    ;;
esac
