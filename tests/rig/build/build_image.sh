#!/bin/bash
# build_image.sh: a Debian guest with the kiosk as `make install` leaves it -> $CACHE/img/{vmlinux,initrd.gz,base.ext4}.
# Needs root (chroot, device nodes) and a Python of the guest's version (3.11) for the compiled wheels. Each step is kept
# in $CACHE; remove kernel/, extra/, root.tar or wheels/ there to do it again.
set -euo pipefail
. "$(dirname "$0")/env.sh"
cd "$CACHE"
SIZE=1280M
INCLUDE=systemd,systemd-sysv,udev,dbus,kmod,procps,iproute2,python3,python3-venv,e2fsprogs,util-linux,usbutils,kbd
INCLUDE=$INCLUDE,busybox-static,netbase,ca-certificates,make,mosquitto,mosquitto-clients

step tools
[ -x tools/usr/sbin/debootstrap ] && [ -x tools/bin/kmod ] && [ -x tools/usr/bin/qemu-system-x86_64 ] \
    || "$BUILD/get_tools.sh" qemu-system-x86 qemu-utils debootstrap kmod > tools.log 2>&1

step kernel
if [ ! -f kernel/boot/vmlinuz-$KREL ]; then
    mkdir -p kdebs kernel
    ls kdebs/linux-image-${KREL}_*.deb >/dev/null 2>&1 \
        || (cd kdebs && apt-get download -q -o APT::Sandbox::User=root linux-image-$KREL)
    dpkg-deb -x kdebs/linux-image-${KREL}_*.deb kernel
fi
[ -f extra/gpio-sim.ko ] && [ -f extra/pi_revision.ko ] || "$BUILD/build_gpio_sim.sh" > gpio_sim.log 2>&1
mkdir -p kernel/lib/modules/$KREL/extra; cp extra/*.ko kernel/lib/modules/$KREL/extra/
depmod_in "$CACHE/kernel" $KREL

step "root file system"
if [ ! -f root.tar ] || [ "$(cat root.include 2>/dev/null)" != "$INCLUDE" ]; then
    rm -rf root root.tar
    DEBOOTSTRAP_DIR=$CACHE/tools/usr/share/debootstrap tools/usr/sbin/debootstrap --variant=minbase --include=$INCLUDE \
        $RELEASE root $MIRROR > debootstrap.log 2>&1
    rm -rf root/var/cache/apt/archives/*.deb root/var/lib/apt/lists/* root/usr/share/{doc,man,locale}
    tar -C root -cf root.tar .
    echo "$INCLUDE" > root.include
fi

step wheels
rm -rf source; mkdir -p source wheels
cp -r "$REPO"/{agent,systemd,firmware-config,make,pyproject.toml,LICENSE} source/
cp "$REPO/README.md" source/ 2>/dev/null || echo '# kiosk-agent' > source/README.md
rm -f wheels/kiosk_agent-*.whl
python3 -m pip wheel -q --disable-pip-version-check --find-links=wheels -w wheels './source[gpio]' > wheels.log 2>&1 || { tail -20 wheels.log; exit 1; }
rm -rf source/build source/*.egg-info
wheel=$(basename wheels/kiosk_agent-*.whl)

step install
rm -rf root; mkdir root; tar -C root -xf root.tar
python3 "$BUILD/kernel_modules.py" kernel/lib/modules/$KREL root/lib/modules/$KREL
mkdir -p root/usr/src/kiosk-agent root/usr/src/wheels
cp -r source/. root/usr/src/kiosk-agent/; cp wheels/*.whl root/usr/src/wheels/
chroot root make -s -C /usr/src/kiosk-agent -f make/install.mk install SOURCE=/usr/src/wheels/$wheel \
    LOCKED=no PIP_ARGS='--no-index --find-links=/usr/src/wheels' > install.log 2>&1 || { tail -20 install.log; exit 1; }
rm -rf root/usr/src/wheels
cp -a "$BUILD/overlay/." root/
gcc -O2 -static -o root/opt/rig/gpio_record "$BUILD/../guest/gpio_record.c"
echo kiosk > root/etc/hostname; echo '127.0.0.1 localhost kiosk' > root/etc/hosts; : > root/etc/machine-id
chroot root passwd -d root > /dev/null
mkdir -p root/data root/etc/systemd/system/multi-user.target.wants
ln -sf /etc/systemd/system/rig-agent.service root/etc/systemd/system/multi-user.target.wants/
depmod_in "$CACHE/root" $KREL

step image
mkdir -p img; rm -f img/base.ext4
/usr/sbin/mke2fs -q -F -t ext4 -L rigroot -E root_owner=0:0 -d root img/base.ext4 $SIZE
rm -rf ird; mkdir -p ird/{bin,proc,sys,dev,new,mod}
cp root/bin/busybox ird/bin/busybox
python3 "$BUILD/kernel_modules.py" --flat virtio_pci,virtio_blk,crc32c_generic,ext4 kernel/lib/modules/$KREL ird/mod
cp "$BUILD/initrd_init" ird/init; chmod +x ird/init
(cd ird && find . | bin/busybox cpio -o -H newc 2>/dev/null | gzip -1) > img/initrd.gz
# QEMU starts an uncompressed kernel directly: under emulation that saves seconds at each boot.
python3 - kernel/boot/vmlinuz-$KREL img/vmlinux <<'P'
import lzma
import sys

packed = open(sys.argv[1], "rb").read()
unpacked = lzma.LZMADecompressor().decompress(packed[packed.find(b"\xfd7zXZ\0"):])
open(sys.argv[2], "wb").write(unpacked)
P
rm -rf root ird source
step "ready: $(du -sh img | cut -f1) in $CACHE/img"
