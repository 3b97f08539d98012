#!/bin/bash
# build_gpio_sim.sh: Debian's kernel is built without gpio-sim and irq_sim. They are built here as modules, from Debian's
# own kernel source against its headers, with pi_revision, which makes gpiozero see a Raspberry Pi. Needs gcc-12 and make.
set -euo pipefail
. "$(dirname "$0")/env.sh"
KMAJ=${KVER%%-*}; KMAJ=${KMAJ%.*}
WORK=$CACHE/kbuild; rm -rf "$WORK"; mkdir -p "$WORK" "$CACHE/kdebs"; cd "$CACHE/kdebs"
parts="linux-headers-$KVER-amd64 linux-headers-$KVER-common linux-kbuild-$KMAJ linux-compiler-gcc-12-x86"
missing=""
for part in $parts linux-source-$KMAJ; do ls ${part}_*.deb >/dev/null 2>&1 || missing="$missing $part"; done
[ -z "$missing" ] || apt-get download -q -o APT::Sandbox::User=root $missing
for part in $parts; do dpkg-deb -x ${part}_*.deb "$WORK"; done
HEADERS=$WORK/usr/src/linux-headers-$KVER-amd64
COMMON=$WORK/usr/src/linux-headers-$KVER-common
sed -i "s#/usr/src/linux-headers#$WORK/usr/src/linux-headers#g" "$HEADERS/Makefile"
ln -sfn "$WORK/usr/lib/linux-kbuild-$KMAJ/scripts" "$COMMON/scripts"
ln -sfn "$WORK/usr/lib/linux-kbuild-$KMAJ/tools" "$COMMON/tools"
MOD=$WORK/mod; mkdir -p "$MOD"
dpkg-deb --fsys-tarfile linux-source-${KMAJ}_*.deb | tar -xO ./usr/src/linux-source-$KMAJ.tar.xz > "$WORK/src.tar.xz"
tar -C "$WORK" -xJf "$WORK/src.tar.xz" --wildcards 'linux-source-*/drivers/gpio/gpio-sim.c' \
    'linux-source-*/drivers/gpio/gpiolib.h' 'linux-source-*/kernel/irq/irq_sim.c' 'linux-source-*/include/linux/irq_sim.h'
rm "$WORK/src.tar.xz"
cp "$WORK"/linux-source-$KMAJ/drivers/gpio/{gpio-sim.c,gpiolib.h} "$WORK"/linux-source-$KMAJ/kernel/irq/irq_sim.c "$MOD/"
echo 'MODULE_LICENSE("GPL");' >> "$MOD/irq_sim.c"
sed -i 's#<linux/irq.h>#<linux/irq.h>\n\#include <linux/module.h>#' "$MOD/irq_sim.c"
# irq_to_desc() is not exported to modules; this is the same look-up through exported calls.
sed -i -e 's#irq_to_desc(irqnum)#irq_data_to_desc(irq_get_irq_data(irqnum))#' \
    -e '/linux.interrupt.h/a #include <linux/irqdesc.h>' "$MOD/irq_sim.c"
printf 'obj-m := irq_sim.o gpio-sim.o pi_revision.o\n' > "$MOD/Makefile"
cp "$BUILD/pi_revision.c" "$MOD/"
make -C "$HEADERS" M="$MOD" modules
mkdir -p "$CACHE/extra"; cp "$MOD"/*.ko "$CACHE/extra/"
