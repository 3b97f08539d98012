# Sourced by the scripts that run in the builder: where things are, and what the guest is.
# From build.sh: RELEASE and MIRROR of Debian, RIG_ARCH of the guest. /source is the checkout, /out what is kept.
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_QUIET=1 PIP_ROOT_USER_ACTION=ignore
BUILD=/source/tests/rig/build
OUT=/out
cd $OUT
# The kernel whose headers the builder has, such as 6.1.0-40.
KVER=$(basename /usr/src/linux-headers-*-common); KVER=${KVER#linux-headers-}; KVER=${KVER%-common}
KREL=$KVER-$RIG_ARCH
# The builder's Python is the guest's.
PYTHON=$(python3 -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
# What pip calls an arm64 guest.
PLATFORM=(--platform linux_aarch64)
for tag in _2_34 _2_28 _2_17 2014; do PLATFORM+=(--platform manylinux${tag}_aarch64); done

step() { echo "rig: $*" >&2; }
# logged LOG COMMAND...: its output goes to LOG below /out; if it fails, the end of it is shown, and the build ends.
logged() {
    local log=$1
    shift
    "$@" >"$log" 2>&1 || { tail -n 20 "$log" >&2; step "$* has failed; the log is $log in the cache"; exit 1; }
}
# download PACKAGE...: Debian packages of the guest's architecture, into the current folder.
download() {
    if [ ! -e $OUT/lists.updated ]; then
        [ $RIG_ARCH = "$(dpkg --print-architecture)" ] || dpkg --add-architecture $RIG_ARCH
        apt-get update -q
        touch $OUT/lists.updated
    fi
    apt-get download -q -o APT::Sandbox::User=root "${@/%/:$RIG_ARCH}"
}
