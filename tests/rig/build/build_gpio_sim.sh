#!/bin/bash
# build_gpio_sim.sh: Debian's kernel is built without gpio-sim and irq_sim. They are built here as modules, from
# Debian's own kernel source against its headers; on a PC with pi_revision, which makes gpiozero see a Raspberry Pi. Needs
# gcc-12 and make.
set -euo pipefail
. "$(dirname "$0")/env.sh"
KMAJ=${KVER%%-*}; KMAJ=${KMAJ%.*}
WORK=$OUT/kbuild; rm -rf "$WORK"; mkdir -p "$WORK" "$OUT/kdebs"; cd "$OUT/kdebs"
# The kernel's build programs are this machine's own, whatever they build for.
parts="linux-headers-$KREL linux-headers-$KVER-common linux-kbuild-$KMAJ"
modules="irq_sim.o gpio-sim.o"
cross=()
if [ $RIG_ARCH = amd64 ]; then
    parts="$parts linux-compiler-gcc-12-x86"
    modules="$modules pi_revision.o"
else
    cross=(ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- CC=aarch64-linux-gnu-gcc-12)
    export PATH=$CACHE/tools/usr/bin:$PATH LD_LIBRARY_PATH=$TOOLS_LD
fi
for part in $parts linux-source-$KMAJ; do
    of=; [ $part != linux-headers-$KREL ] || of=:$RIG_ARCH
    ls ${part}_*.deb >/dev/null 2>&1 || download $part$of
done
for part in $parts; do dpkg-deb -x ${part}_*.deb "$WORK"; done
HEADERS=$WORK/usr/src/linux-headers-$KREL
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
echo "obj-m := $modules" > "$MOD/Makefile"
cp "$BUILD/pi_revision.c" "$MOD/"
make -C "$HEADERS" M="$MOD" "${cross[@]}" modules
mkdir -p "$OUT/extra"; cp "$MOD"/*.ko "$OUT/extra/"
