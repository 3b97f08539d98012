#!/bin/bash
# wheels.sh: the project's wheel, and the versions of locks/kiosk.txt as wheels for the guest, in wheels/.
set -euo pipefail
. /source/tests/rig/build/env.sh
locks=/source/locks
export PYPI=1 PIP_CACHE_DIR=$OUT/pip-cache  # PYPI: lgpio's C library is built into it
if [ "$(cat wheels/locks 2>/dev/null)" != "$(cat $locks/{build,kiosk}.txt | sha256sum)" ]; then
    rm -rf wheels venv; mkdir wheels
    python3 -m venv venv
    venv/bin/pip install --require-hashes -r $locks/build.txt
    if [ $RIG_ARCH = amd64 ]; then
        venv/bin/pip wheel --require-hashes --no-build-isolation -w wheels -r $locks/kiosk.txt
    else
        # What comes compiled for the guest, and what is compiled for it here: one requirement after the other.
        awk '/^[a-zA-Z]/ { n++ } /^ *#/ { next } { print > sprintf("requirement-%02d", n) }' $locks/kiosk.txt
        cross=(env CC=aarch64-linux-gnu-gcc LDSHARED="aarch64-linux-gnu-gcc -shared"
            CFLAGS="-isystem $OUT/include -fcf-protection=none" _PYTHON_HOST_PLATFORM=linux-aarch64
            SETUPTOOLS_EXT_SUFFIX=".$(python3 -c 'import sys; print(sys.implementation.cache_tag)')-aarch64-linux-gnu.so")
        # Python's configuration is the same for every 64-bit Linux; Debian keeps it in a folder by architecture. evdev
        # reads the keys' names from the builder's own kernel headers, so they must be defined by the same ones.
        mkdir -p include; ln -sfn /usr/include/x86_64-linux-gnu include/aarch64-linux-gnu
        ln -sfn /usr/include/linux include/linux
        for requirement in requirement-*; do
            venv/bin/pip download --require-hashes --no-deps --only-binary=:all: "${PLATFORM[@]}" -d wheels -r $requirement ||
                "${cross[@]}" venv/bin/pip wheel --require-hashes --no-deps --no-build-isolation -w wheels -r $requirement
        done
        rm -r requirement-* include
    fi
    cat $locks/{build,kiosk}.txt | sha256sum > wheels/locks
fi
rm -rf source wheels/kiosk_agent-*.whl; mkdir source
cp -r /source/{agent,systemd,firmware-config,make,pyproject.toml,LICENSE,README.md} source/
venv/bin/pip wheel --no-deps --no-build-isolation -w wheels ./source
rm -rf source/build source/*.egg-info
