# Sourced by the scripts beside it; RIG_ARCH is the guest's architecture. CACHE is where everything is built, OUT the
# architecture's own part of it; nothing is installed on this machine.
RIG_ARCH=${RIG_ARCH:-amd64}
export CACHE=${KIOSK_RIG_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kiosk-agent-rig}
BUILD=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
REPO=$(cd "$BUILD/../../.." && pwd)
RELEASE=bookworm
# The newest kernel of this Debian release, such as 6.1.0-56; asked for once, so that a rebuild stays with its modules.
mkdir -p "$CACHE"
[ -s "$CACHE/kernel-version" ] || apt-cache depends linux-image-amd64 \
    | sed -n 's/.*Depends: linux-image-\(.*\)-amd64$/\1/p' | head -1 > "$CACHE/kernel-version"
KVER=$(cat "$CACHE/kernel-version")
KREL=$KVER-$RIG_ARCH
OUT=$CACHE; [ $RIG_ARCH = amd64 ] || OUT=$CACHE/$RIG_ARCH
# The package mirror that apt itself uses here.
MIRROR=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | head -1)}
TOOLS_LD=$CACHE/tools/usr/lib/x86_64-linux-gnu:$CACHE/tools/lib/x86_64-linux-gnu
# For a guest of another architecture than this machine's: the compiler's C library, and the wheels its Python takes.
CROSS_LIBC=$CACHE/tools/usr/aarch64-linux-gnu
PYTHON_OF_GUEST="--python-version 3.11 --implementation cp --abi cp311 --platform linux_aarch64"
for tag in _2_34 _2_28 _2_17 2014; do PYTHON_OF_GUEST="$PYTHON_OF_GUEST --platform manylinux${tag}_aarch64"; done

step() { echo "rig: $*"; }
# depmod is kmod under another name; the one unpacked under tools/ finds its libraries there.
depmod_in() { LD_LIBRARY_PATH=$TOOLS_LD bash -c 'exec -a depmod "$0" -b "$1" "$2"' "$CACHE/tools/bin/kmod" "$1" "$2"; }
# Debian packages of any architecture, into the current folder; apt's own lists of this machine stay as they are.
download() {
    local apt="-o APT::Sandbox::User=root"
    if [ $RIG_ARCH != amd64 ]; then
        apt="$apt -o APT::Architectures::=$RIG_ARCH -o Dir::State::lists=$OUT/lists"
        [ -d "$OUT/lists" ] || { mkdir -p "$OUT/lists/partial"; apt-get update -qq $apt; }
    fi
    apt-get download -q $apt "$@"
}
