#!/bin/bash
# image_amd64.sh: a guest with the kiosk as `make install` leaves it -> img/{vmlinux,initrd.gz,base.ext4}.
set -euo pipefail
. /source/tests/rig/build/env.sh
SIZE=1536M
INCLUDE=systemd,systemd-sysv,udev,dbus,kmod,procps,iproute2,python3,python3-venv,e2fsprogs,util-linux,usbutils,kbd
INCLUDE=$INCLUDE,busybox-static,netbase,ca-certificates,make,mosquitto,mosquitto-clients

step kernel
[ "$(cat kernel/release 2>/dev/null)" = $KREL ] || logged kernel.log $BUILD/kernel.sh

step "root file system"
if [ "$(cat root.include 2>/dev/null)" != "$INCLUDE" ]; then
    rm -rf root root.tar root.include
    logged debootstrap.log debootstrap --variant=minbase --include=$INCLUDE $RELEASE root $MIRROR
    rm -rf root/var/cache/apt/archives/*.deb root/var/lib/apt/lists/* root/usr/share/{doc,man,locale}
    tar -C root -cf root.tar .
    echo "$INCLUDE" > root.include
fi

step wheels
logged wheels.log $BUILD/wheels.sh
wheel=$(basename wheels/kiosk_agent-*.whl)

step install
rm -rf root; mkdir root; tar -C root -xf root.tar
python3 $BUILD/kernel_modules.py kernel/lib/modules/$KREL root/lib/modules/$KREL
mkdir -p root/usr/src/kiosk-agent root/usr/src/wheels
cp -r source/. root/usr/src/kiosk-agent/; cp wheels/*.whl root/usr/src/wheels/
logged install.log chroot root make -s -C /usr/src/kiosk-agent -f make/install.mk install SOURCE=/usr/src/wheels/$wheel \
    LOCKED=no PIP_ARGS='--no-index --find-links=/usr/src/wheels'
rm -rf root/usr/src/wheels
cp -a $BUILD/overlay/. root/
gcc -O2 -static -o root/opt/rig/gpio_record $BUILD/../guest/gpio_record.c
echo kiosk > root/etc/hostname; echo '127.0.0.1 localhost kiosk' > root/etc/hosts; : > root/etc/machine-id
chroot root passwd -d root > /dev/null
mkdir -p root/data root/etc/systemd/system/multi-user.target.wants
ln -sf /etc/systemd/system/rig-agent.service root/etc/systemd/system/multi-user.target.wants/
depmod -b root $KREL

step image
rm -rf img; mkdir img
mke2fs -q -F -t ext4 -L rigroot -E root_owner=0:0 -d root img/base.ext4 $SIZE
rm -rf ird; mkdir -p ird/{bin,proc,sys,dev,new,mod}
cp root/bin/busybox ird/bin/busybox
python3 $BUILD/kernel_modules.py --flat virtio_pci,virtio_blk,crc32c_generic,ext4 kernel/lib/modules/$KREL ird/mod
cp $BUILD/initrd_init ird/init; chmod +x ird/init
(cd ird && find . | cpio -o -H newc 2>/dev/null | gzip -1) > img/initrd.gz
# QEMU starts an uncompressed kernel directly: under emulation that saves seconds at each boot.
python3 $BUILD/unpack_kernel.py kernel/boot/vmlinuz-$KREL img/vmlinux
rm -rf root ird source
step "ready: $(du -sh img | cut -f1)"
