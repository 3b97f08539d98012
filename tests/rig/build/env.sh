# Sourced by the scripts beside it. CACHE is where everything is built; nothing is installed on this machine.
export CACHE=${KIOSK_RIG_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kiosk-agent-rig}
BUILD=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
REPO=$(cd "$BUILD/../../.." && pwd)
RELEASE=bookworm
# The newest kernel of this Debian release, such as 6.1.0-56; asked for once, so that a rebuild stays with its modules.
mkdir -p "$CACHE"
[ -s "$CACHE/kernel-version" ] || apt-cache depends linux-image-amd64 \
    | sed -n 's/.*Depends: linux-image-\(.*\)-amd64$/\1/p' | head -1 > "$CACHE/kernel-version"
KVER=$(cat "$CACHE/kernel-version")
KREL=$KVER-amd64
# The package mirror that apt itself uses here.
MIRROR=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | head -1)}
TOOLS_LD=$CACHE/tools/usr/lib/x86_64-linux-gnu:$CACHE/tools/lib/x86_64-linux-gnu

step() { echo "rig: $*"; }
# depmod is kmod under another name; the one unpacked under tools/ finds its libraries there.
depmod_in() { LD_LIBRARY_PATH=$TOOLS_LD bash -c 'exec -a depmod "$0" -b "$1" "$2"' "$CACHE/tools/bin/kmod" "$1" "$2"; }
