#!/bin/bash
# build_arm64.sh: a Debian arm64 guest with the kiosk's wheel -> $CACHE/arm64/img/{vmlinuz,initrd.gz,base.ext4,pi3.dtb}.
# Nothing of arm64 runs here: packages are unpacked, not configured, so it boots without systemd (arm64/rig_init).
# Needs root, gcc-12, make and a Python of the guest's version (3.11). Each step is kept in $CACHE/arm64; remove kernel/,
# extra/, root.tar or wheels/ there to do it again.
set -euo pipefail
export RIG_ARCH=arm64
. "$(dirname "$0")/env.sh"
mkdir -p "$OUT"; cd "$OUT"
# A power of two: what QEMU demands of an SD card.
SIZE=1G
INCLUDE=kmod,procps,python3,busybox-static,mosquitto,mosquitto-clients
SITE=root/opt/kiosk-agent/lib/python3.11/site-packages

step tools
TOOLS=$CACHE/tools; export PATH=$TOOLS/usr/sbin:$TOOLS/bin:$TOOLS/usr/bin:$PATH
[ -x $TOOLS/usr/sbin/debootstrap ] && [ -x $TOOLS/bin/kmod ] && [ -x $TOOLS/usr/bin/qemu-system-aarch64 ] \
    && [ -x $TOOLS/usr/bin/qemu-img ] && [ -d $CROSS_LIBC/include ] && command -v busybox > /dev/null \
    || "$BUILD/get_tools.sh" qemu-system-arm qemu-utils debootstrap kmod busybox-static \
        gcc-12-aarch64-linux-gnu binutils-aarch64-linux-gnu libc6-dev-arm64-cross > tools.log 2>&1

step kernel
if [ ! -f kernel/boot/vmlinuz-$KREL ]; then
    mkdir -p kdebs kernel
    ls kdebs/linux-image-${KREL}_*.deb >/dev/null 2>&1 || (cd kdebs && download linux-image-$KREL:arm64)
    dpkg-deb -x kdebs/linux-image-${KREL}_*.deb kernel
fi
[ -f extra/gpio-sim.ko ] || "$BUILD/build_gpio_sim.sh" > gpio_sim.log 2>&1 || { tail -20 gpio_sim.log; exit 1; }
mkdir -p kernel/lib/modules/$KREL/extra; cp extra/*.ko kernel/lib/modules/$KREL/extra/
depmod_in "$OUT/kernel" $KREL

step "root file system"
if [ ! -f root.tar ] || [ "$(cat root.include 2>/dev/null)" != "$INCLUDE" ]; then
    rm -rf root root.tar
    DEBOOTSTRAP_DIR=$TOOLS/usr/share/debootstrap debootstrap --foreign --arch=arm64 --variant=minbase \
        --include=$INCLUDE $RELEASE root $MIRROR > debootstrap.log 2>&1
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
"$BUILD/arm64/wheels.sh" > wheels.log 2>&1 || { tail -20 wheels.log; exit 1; }

step install
rm -rf root; mkdir root; tar -C root -xf root.tar
python3 "$BUILD/kernel_modules.py" kernel/lib/modules/$KREL root/lib/modules/$KREL
depmod_in "$OUT/root" $KREL
python3 -m pip install -q --disable-pip-version-check --target $SITE --no-compile --no-index --find-links=wheels \
    --only-binary=:all: $PYTHON_OF_GUEST "kiosk-agent[gpio]" > install.log 2>&1 || { tail -20 install.log; exit 1; }
python3 -m compileall -q $SITE root/usr/lib/python3.11 -s root > /dev/null || true
# The virtual environment's frame, as `make install` leaves it.
mkdir -p root/opt/kiosk-agent/bin; ln -s /usr/bin/python3.11 root/opt/kiosk-agent/bin/python
printf 'home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.11\n' > root/opt/kiosk-agent/pyvenv.cfg
sed '1s#.*#\#!/opt/kiosk-agent/bin/python#' $SITE/bin/kiosk-agent > root/opt/kiosk-agent/bin/kiosk-agent
chmod +x root/opt/kiosk-agent/bin/kiosk-agent; rm -r $SITE/bin
[ -e root/usr/bin/python3 ] || ln -s python3.11 root/usr/bin/python3
mkdir -p root/opt/rig root/etc/kiosk-agent root/var/lib/kiosk-agent
cp "$BUILD"/overlay/opt/rig/{gpio-sim-up,guest_agent.py} "$BUILD/arm64/rig_init" root/opt/rig/
LD_LIBRARY_PATH=$TOOLS_LD aarch64-linux-gnu-gcc-12 -O2 -static -isystem $CROSS_LIBC/include -B$CROSS_LIBC/lib -L$CROSS_LIBC/lib \
    -o root/opt/rig/gpio_record "$BUILD/../guest/gpio_record.c"
echo '127.0.0.1 localhost kiosk' > root/etc/hosts

step image
mkdir -p img; rm -f img/base.ext4
/usr/sbin/mke2fs -q -F -t ext4 -L rigroot -E root_owner=0:0 -d root img/base.ext4 $SIZE
rm -rf ird; mkdir -p ird/{bin,proc,sys,dev,new,mod}
cp root/bin/busybox ird/bin/busybox
python3 "$BUILD/kernel_modules.py" --flat virtio_pci,virtio_blk,sdhci_iproc,bcm2835,crc32c_generic,ext4 \
    kernel/lib/modules/$KREL ird/mod
cp "$BUILD/initrd_init" ird/init; chmod +x ird/init
(cd ird && find . | busybox cpio -o -H newc 2>/dev/null | gzip -1) > img/initrd.gz
cp kernel/boot/vmlinuz-$KREL img/vmlinuz
cp kernel/usr/lib/linux-image-$KREL/broadcom/bcm2837-rpi-3-b.dtb img/pi3.dtb
rm -rf root ird
step "ready: $(du -sh img | cut -f1) in $OUT/img"
