# Sourced by bash: make a Debian root with debootstrap, and run commands in it. The caller sets `what`, its name in messages.
export PATH=$PATH:/usr/sbin:/sbin

say() { echo "$what: $*" >&2; }
die() { say "$*"; exit 1; }

# need PROGRAM:PACKAGE...: install the packages of missing programs by apt-get, and say so first; or say what to install.
need() {
    local pair missing=()
    for pair; do command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}"); done
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ -n "${NO_APT:-}" ] || ! command -v apt-get >/dev/null; then
        die "programs are missing: apt-get install ${missing[*]}"
    fi
    say "installing by apt-get: ${missing[*]}   (NO_APT=1 to leave that out)"
    apt-get update -qq || true
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
        die "apt-get could not install ${missing[*]}"
    for pair; do
        command -v "${pair%%:*}" >/dev/null || die "there is still no ${pair%%:*}, though ${pair#*:} is installed"
    done
}

need_root() { [ "$(id -u)" -eq 0 ] || die "only root can make and enter a Debian root: try sudo"; }

# The mirror of Debian that apt itself uses here; set MIRROR for another one.
mirror() {
    local targets=(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian')
    [ -z "${MIRROR:-}" ] || { echo "$MIRROR"; return; }
    # apt knows an origin only after its first update.
    [ -n "$("${targets[@]}")" ] || apt-get update -qq >&2 || true
    "${targets[@]}" | awk '!/security/ && !found++' | grep . || die "apt's sources have no mirror of Debian: set MIRROR to one"
}

# make_root RELEASE PACKAGES FOLDER: unless it is there already with these packages (separated by commas). Needs debootstrap.
make_root() {
    local release=$1 packages=$2 folder=$3 from
    [ "$(cat "$folder.packages" 2>/dev/null)" != "$packages" ] || return 0
    [ -e "/usr/share/debootstrap/scripts/$release" ] || die "this debootstrap does not know $release: install a newer one"
    from=$(mirror)
    say "making a root of Debian $release in $folder (log: $folder.log)"
    rm -rf "$folder.packages" "$folder"
    debootstrap --variant=minbase --include="$packages" "$release" "$folder" "$from" >"$folder.log" 2>&1 ||
        { tail -n 20 "$folder.log" >&2; die "debootstrap has failed"; }
    echo "$packages" >"$folder.packages"
}

# in_root FOLDER COMMAND...: run it there, with the network, the package index and the devices of this machine. `binds`
# is an array of more folders, each SOURCE:TARGET. Mounts and processes end with the command.
binds=()
in_root() {
    local root=$1 passed=()
    shift
    mapfile -d '' passed < <(env -0 | grep -zE '^(PIP_[A-Z_]+|SSL_CERT_FILE|https?_proxy|no_proxy|HTTPS?_PROXY|NO_PROXY)=')
    cp -L /etc/resolv.conf "$root/etc/resolv.conf"
    cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
    [ ! -e /etc/pip.conf ] || cp -L /etc/pip.conf "$root/etc/pip.conf"
    # shellcheck disable=SC2016
    unshare --mount --pid --fork --kill-child bash -euc '
        root=$1; shift
        while [ "$1" != -- ]; do mkdir -p "$root${1#*:}"; mount --bind "${1%%:*}" "$root${1#*:}"; shift; done; shift
        mount -t proc proc "$root/proc"
        mount --rbind /sys "$root/sys"
        mount --rbind /dev "$root/dev"
        mount -t tmpfs run "$root/run"
        exec chroot "$root" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
            LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
    ' in_root "$root" "${binds[@]}" -- "${passed[@]}" "$@"
}
