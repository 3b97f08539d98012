#!/bin/bash
# image_arm64.sh: a guest with the kiosk's wheel -> img/{vmlinuz,initrd.gz,base.ext4,pi3.dtb}.
# Nothing of arm64 runs here: packages are unpacked, not configured, so it boots without systemd (rig_init).
set -euo pipefail
. /source/tests/rig/build/env.sh
# A power of two: what QEMU demands of an SD card.
SIZE=1G
INCLUDE=kmod,procps,python3,busybox-static,mosquitto,mosquitto-clients
SITE=root/opt/kiosk-agent/lib/$PYTHON/site-packages

step kernel
[ "$(cat kernel/release 2>/dev/null)" = $KREL ] || logged kernel.log $BUILD/kernel.sh

step "root file system"
if [ "$(cat root.include 2>/dev/null)" != "$INCLUDE" ]; then
    rm -rf root root.tar root.include
    logged debootstrap.log debootstrap --foreign --arch=arm64 --variant=minbase --include=$INCLUDE $RELEASE root $MIRROR
    for deb in root/var/cache/apt/archives/*.deb; do
        dpkg-deb --fsys-tarfile "$deb" | tar -C root -x --keep-directory-symlink -f -
    done
    # What the packages' own scripts would have made, as far as it is needed.
    cp root/usr/share/base-passwd/passwd.master root/etc/passwd
    cp root/usr/share/base-passwd/group.master root/etc/group
    cp root/usr/share/libc-bin/nsswitch.conf root/etc/nsswitch.conf
    # In a container debootstrap makes /proc, and more, a link to what is not there in the guest.
    for folder in proc sys dev run tmp; do [ ! -L root/$folder ] || rm root/$folder; mkdir -p root/$folder; done
    rm -rf root/var/cache/apt/archives root/debootstrap root/usr/share/{doc,man,locale}
    tar -C root -cf root.tar .
    echo "$INCLUDE" > root.include
fi

step wheels
logged wheels.log $BUILD/wheels.sh

step install
rm -rf root; mkdir root; tar -C root -xf root.tar
python3 $BUILD/kernel_modules.py kernel/lib/modules/$KREL root/lib/modules/$KREL
depmod -b root $KREL
logged install.log venv/bin/pip install --target $SITE --no-compile --no-index --find-links=wheels --only-binary=:all: \
    "${PLATFORM[@]}" 'kiosk-agent[gpio]'
python3 -m compileall -q $SITE root/usr/lib/$PYTHON -s root > /dev/null || true
# The virtual environment's frame, as `make install` leaves it.
mkdir -p root/opt/kiosk-agent/bin; ln -s /usr/bin/$PYTHON root/opt/kiosk-agent/bin/python
printf 'home = /usr/bin\ninclude-system-site-packages = false\nversion = %s\n' ${PYTHON#python} > root/opt/kiosk-agent/pyvenv.cfg
sed '1s#.*#\#!/opt/kiosk-agent/bin/python#' $SITE/bin/kiosk-agent > root/opt/kiosk-agent/bin/kiosk-agent
chmod +x root/opt/kiosk-agent/bin/kiosk-agent; rm -r $SITE/bin
[ -e root/usr/bin/python3 ] || ln -s $PYTHON root/usr/bin/python3
mkdir -p root/opt/rig root/etc/kiosk-agent root/var/lib/kiosk-agent
cp $BUILD/overlay/opt/rig/{gpio-sim-up,guest_agent.py} $BUILD/rig_init root/opt/rig/
aarch64-linux-gnu-gcc -O2 -static -o root/opt/rig/gpio_record $BUILD/../guest/gpio_record.c
echo '127.0.0.1 localhost kiosk' > root/etc/hosts

step image
rm -rf img; mkdir img
mke2fs -q -F -t ext4 -L rigroot -E root_owner=0:0 -d root img/base.ext4 $SIZE
rm -rf ird; mkdir -p ird/{bin,proc,sys,dev,new,mod}
cp root/bin/busybox ird/bin/busybox
python3 $BUILD/kernel_modules.py --flat virtio_pci,virtio_blk,sdhci_iproc,bcm2835,crc32c_generic,ext4 \
    kernel/lib/modules/$KREL ird/mod
cp $BUILD/initrd_init ird/init; chmod +x ird/init
(cd ird && find . | cpio -o -H newc 2>/dev/null | gzip -1) > img/initrd.gz
cp kernel/boot/vmlinuz-$KREL img/vmlinuz
cp kernel/usr/lib/linux-image-$KREL/broadcom/bcm2837-rpi-3-b.dtb img/pi3.dtb
rm -rf root ird source
step "ready: $(du -sh img | cut -f1)"
