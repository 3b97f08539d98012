#!/bin/bash
# build.sh amd64|arm64: build the image of a virtual kiosk, in $KIOSK_RIG_CACHE/$RELEASE/ARCHITECTURE/img.
#
# Everything is built in a Debian root of the guest's own release (the builder): with its compilers, its Python and its
# kernel headers, whatever this machine has. This machine needs root, debootstrap and QEMU. Each step is kept; remove
# builder/, or kernel/, root.tar or wheels/ of an architecture, to do it again.
set -euo pipefail
architecture=$1
cd "$(dirname "$0")/../../.."
what=rig
. scripts/debian_root.sh
release=${RELEASE:-bookworm}
cache=${KIOSK_RIG_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kiosk-agent-rig}/$release

packages=busybox-static,ca-certificates,cpio,debootstrap,e2fsprogs,gcc,kmod,libc6-dev,linux-headers-amd64,linux-source,make
packages+=,python3-dev,python3-venv,swig,xz-utils,zstd
packages+=,gcc-aarch64-linux-gnu,libc6-dev-arm64-cross

need_root
[ "$(uname -m)" = x86_64 ] || die "the images are built on x86-64 machines only"
case $architecture in
    amd64) qemu=qemu-system-x86_64:qemu-system-x86 ;;
    arm64) qemu=qemu-system-aarch64:qemu-system-arm ;;
    *) die "no such architecture: $architecture" ;;
esac
need debootstrap:debootstrap $qemu qemu-img:qemu-utils unshare:util-linux flock:util-linux
mkdir -p "$cache/$architecture"
exec 9>"$cache/lock"
flock --nonblock 9 || die "another build is using $cache"
make_root "$release" "$packages" "$cache/builder"

from=$(mirror)
binds=("$PWD:/source" "$cache/$architecture:/out")
in_root "$cache/builder" "RELEASE=$release" "MIRROR=$from" "RIG_ARCH=$architecture" \
    "/source/tests/rig/build/image_$architecture.sh"
