#!/bin/bash
# wheels.sh (RIG_ARCH=arm64): the project's wheel and all that it needs on arm64, in $CACHE/arm64/wheels.
set -euo pipefail
. "$(dirname "$0")/../env.sh"
cd "$OUT"; mkdir -p wheels
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_QUIET=1

rm -rf source; mkdir source; cp -r "$REPO"/{agent,pyproject.toml,LICENSE} source/
cp "$REPO/README.md" source/ 2>/dev/null || echo '# kiosk-agent' > source/README.md
rm -f wheels/kiosk_agent-*.whl
python3 -m pip wheel --no-deps -w wheels ./source
rm -rf source

# evdev comes as source only. Its modules are compiled against the Python of this machine, whose headers are the same for
# every 64-bit Linux; what they need of libc is there already when Python loads them.
if ! ls wheels/evdev-*_aarch64.whl >/dev/null 2>&1; then
    # The keys' names are read from this machine's headers, so they must be defined by the same ones.
    mkdir -p include; ln -sfn /usr/include/linux include/linux
    LD_LIBRARY_PATH=$TOOLS_LD CC=aarch64-linux-gnu-gcc-12 LDSHARED="aarch64-linux-gnu-gcc-12 -shared -nostdlib" \
        CFLAGS="-isystem $OUT/include -isystem $CROSS_LIBC/include" SETUPTOOLS_EXT_SUFFIX=.cpython-311-aarch64-linux-gnu.so \
        _PYTHON_HOST_PLATFORM=linux-aarch64 python3 -m pip wheel --no-deps --no-binary=evdev -w wheels evdev
fi
python3 -m pip download --only-binary=:all: $PYTHON_OF_GUEST --find-links=wheels -d wheels \
    "kiosk-agent[gpio] @ file://$(echo "$OUT"/wheels/kiosk_agent-*.whl)"
