"""The machines that QEMU emulates."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.servers import find_program

__all__ = ["PC", "PI_3B", "VIRT", "Board", "Parts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What QEMU's command is made from: the cache with the images, a folder for sockets and logs, the disk."""

    cache: Path
    folder: Path
    disk: Path
    memory_mb: int
    real_time: bool
    """Whether the guest's clock follows the host's, and not the instructions that it executes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """The image below the cache that a guest's disk starts from, and QEMU's command."""

    image: str
    command: Callable[[Parts], list[str]]


def _pc(parts: Parts) -> list[str]:
    """Return the command for a PC with USB ports, a keyboard wedge, a serial adapter, and a watchdog."""
    kernel_line = (
        "console=ttyS0 quiet panic=-1 net.ifnames=0 mitigations=off nowatchdog random.trust_cpu=on "
        "init=/lib/systemd/systemd systemd.show_status=0"
    )
    image = parts.cache / "amd64/img"
    return [
        find_program("qemu-system-x86_64"),
        *("-cpu", "Nehalem", *_pace(real_time=parts.real_time)),
        *("-M", "q35,i8042=off,vmport=off,usb=off", "-m", str(parts.memory_mb)),
        *("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
        *("-kernel", f"{image}/vmlinux", "-initrd", f"{image}/initrd.gz", "-append", kernel_line),
        *("-chardev", f"file,id=con,path={parts.folder}/console.log", "-serial", "chardev:con"),
        *_virtio(parts),
        *("-device", "i6300esb", "-device", "qemu-xhci,id=xhci,p2=8,p3=8"),
        *("-chardev", f"socket,id=ser0,path={parts.folder}/serial.sock,server=on,wait=off"),
        *("-device", "usb-kbd,id=kbd0,bus=xhci.0,port=1"),
        *("-device", "usb-serial,chardev=ser0,id=ftdi0,bus=xhci.0,port=2,always-plugged=on,serial=S1"),
    ]


def _virt(parts: Parts) -> list[str]:
    """Return the command for QEMU's own arm64 board, with a keyboard wedge; gpio-sim makes its GPIO lines."""
    image = parts.cache / "arm64/img"
    kernel_line = "console=ttyAMA0 quiet panic=-1 RIG_INIT=/opt/rig/rig_init RIG_GPIO=sim"
    return [
        find_program("qemu-system-aarch64"),
        *("-M", "virt", "-cpu", "cortex-a53", "-accel", "tcg,thread=single", "-smp", "1", "-m", str(parts.memory_mb)),
        *("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
        *("-kernel", f"{image}/vmlinuz", "-initrd", f"{image}/initrd.gz", "-append", kernel_line),
        *("-chardev", f"file,id=con,path={parts.folder}/console.log", "-serial", "chardev:con"),
        *_virtio(parts),
        *("-device", "qemu-xhci,id=xhci", "-device", "usb-kbd,id=kbd0,bus=xhci.0,port=1"),
    ]


def _pi_3b(parts: Parts) -> list[str]:
    """Return the command for a Raspberry Pi 3B: BCM2837 with its pins, SD card and dwc2 USB, and a keyboard wedge.

    The second UART is the line to the guest and its console at once; the console begins no line with "{".
    """
    image = parts.cache / "arm64/img"
    kernel_line = (
        "console=ttyS1,115200 loglevel=1 panic=-1 RIG_DISK=/dev/mmcblk0 RIG_INIT=/opt/rig/rig_init RIG_PORT=/dev/ttyS1"
    )
    line = f"socket,id=agent,path={parts.folder}/agent.sock,server=on,wait=off,logfile={parts.folder}/console.log"
    return [
        find_program("qemu-system-aarch64"),
        *("-M", "raspi3b", "-accel", "tcg,thread=single", "-display", "none", "-no-reboot"),
        "-no-user-config",
        *("-kernel", f"{image}/vmlinuz", "-initrd", f"{image}/initrd.gz", "-dtb", f"{image}/pi3.dtb"),
        *("-append", kernel_line, "-chardev", line, "-serial", "null", "-serial", "chardev:agent"),
        *("-qmp", f"unix:{parts.folder}/qmp.sock,server=on,wait=off"),
        *("-drive", f"file={parts.disk},format=qcow2,if=sd,cache=unsafe"),
        *("-usb", "-device", "usb-kbd,id=kbd0"),
    ]


def _virtio(parts: Parts) -> list[str]:
    """Return the arguments for what a kiosk does not have: the lines to the guest, its disk, its randomness."""
    return [
        *("-qmp", f"unix:{parts.folder}/qmp.sock,server=on,wait=off"),
        *("-device", "virtio-serial-pci"),
        *("-chardev", f"socket,id=agent,path={parts.folder}/agent.sock,server=on,wait=off"),
        *("-device", "virtserialport,chardev=agent,name=rig.agent"),
        *("-drive", f"file={parts.disk},format=qcow2,if=none,id=d0,cache=unsafe"),
        *("-device", "virtio-blk-pci,drive=d0"),
        *("-object", "rng-random,filename=/dev/urandom,id=rng0", "-device", "virtio-rng-pci,rng=rng0"),
    ]


def _pace(*, real_time: bool) -> list[str]:
    """Return the arguments that say how the guest's time passes.

    Under emulation, each instruction takes two nanoseconds, and an idle guest follows real time. So neither a busy host
    nor the emulation itself makes the guest late by its own clock.
    """
    accelerator = os.environ.get("KIOSK_RIG_ACCEL", "tcg")
    if accelerator != "tcg":
        return ["-accel", accelerator, "-smp", "2"]
    clock = [] if real_time else ["-icount", "shift=1,align=off,sleep=on"]
    return ["-accel", "tcg,thread=single", *clock, "-smp", "1"]


PC = Board(image="amd64/img/base.ext4", command=_pc)
VIRT = Board(image="arm64/img/base.ext4", command=_virt)
PI_3B = Board(image="arm64/img/base.ext4", command=_pi_3b)
