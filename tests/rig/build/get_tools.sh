#!/bin/bash
# get_tools.sh PACKAGE...: fetch Debian packages, and what they need and this machine lacks, and unpack them under tools/.
set -euo pipefail
. "$(dirname "$0")/env.sh"
mkdir -p "$CACHE/debs/partial" "$CACHE/tools"
rm -f "$CACHE"/debs/*.deb
apt-get install -y -q --no-install-recommends --download-only -o Dir::Cache::archives="$CACHE/debs" \
    -o APT::Keep-Downloaded-Packages=true -o APT::Sandbox::User=root "$@"
for deb in "$CACHE"/debs/*.deb; do dpkg-deb -x "$deb" "$CACHE/tools"; done
