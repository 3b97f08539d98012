#!/bin/bash
# kernel.sh: Debian's kernel with all its modules in kernel/. What Debian builds it without is built here and added: gpio-sim
# and irq_sim, from Debian's own source; on a PC pi_revision, which makes gpiozero see a Raspberry Pi.
set -euo pipefail
. /source/tests/rig/build/env.sh
rm -rf kernel kernel.new kbuild; mkdir kernel.new kbuild; cd kbuild
download linux-image-$KREL
dpkg-deb -x linux-image-*.deb ../kernel.new
[ -d ../kernel.new/lib ] || ln -s usr/lib ../kernel.new/lib  # since Debian 13
modules=; cross=()
if [ $RIG_ARCH = amd64 ]; then
    modules=pi_revision.o
    cp $BUILD/pi_revision.c .
else
    # The rest of what the headers need is of all architectures, and installed with the builder's own.
    download linux-headers-$KREL
    # /lib is a link in the builder and a folder in the package.
    dpkg-deb --fsys-tarfile linux-headers-*.deb | tar -C / -x --keep-directory-symlink
    cross=(ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu-)
fi
if [ -z "$(find ../kernel.new -name 'gpio-sim.ko*')" ]; then
    modules="$modules irq_sim.o gpio-sim.o"
    tar -xJf /usr/src/linux-source-*.tar.xz --strip-components=1 --wildcards 'linux-source-*/drivers/gpio/gpio-sim.c' \
        'linux-source-*/drivers/gpio/gpiolib.h' 'linux-source-*/kernel/irq/irq_sim.c'
    mv drivers/gpio/* kernel/irq/irq_sim.c .
    echo 'MODULE_LICENSE("GPL");' >> irq_sim.c
    # irq_to_desc() is not exported to modules; this is the same look-up through exported calls.
    sed -i -e 's#irq_to_desc(irqnum)#irq_data_to_desc(irq_get_irq_data(irqnum))#' \
        -e '/linux.irq.h/a #include <linux/irqdesc.h>\n#include <linux/module.h>' irq_sim.c
fi
if [ -n "$modules" ]; then
    echo "obj-m := $modules" > Makefile
    make -C /usr/src/linux-headers-$KREL M="$PWD" "${cross[@]}" modules
    mkdir ../kernel.new/lib/modules/$KREL/extra; cp ./*.ko ../kernel.new/lib/modules/$KREL/extra/
fi
cd ..; rm -rf kbuild
depmod -b kernel.new $KREL
echo $KREL > kernel.new/release
mv kernel.new kernel
