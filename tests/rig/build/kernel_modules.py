"""Pick kernel modules, with what they need, out of Debian's tree.

kernel_modules.py SRC DST              the rig's choice, the tree kept
kernel_modules.py --flat a,b SRC DST   the named ones, flat, with DST/order as the order to load them in
"""

import lzma
import re
import shutil
import sys
from pathlib import Path

WANTED = re.compile(
    r"extra/|kernel/(drivers/(usb/(core|host|dwc2|serial|class|gadget|storage|common)|hid|input|virtio|watchdog|gpio|block|"
    r"char/(hw_random|virtio_console)|tty|net/(virtio_net|dummy|loopback)|rtc)|"
    r"fs/(ext4|jbd2|mbcache|fat|nls|configfs|overlayfs|fuse|autofs)|net/(netfilter|ipv4/netfilter|unix|packet)|lib|crypto)"
)


def needs(source: Path) -> dict[str, list[str]]:
    """Every module's path, with the paths of those it needs."""
    lines = (line.split(":", 1) for line in (source / "modules.dep").read_text().splitlines())
    return {path: needed.split() for path, needed in lines}


def copy_chosen(source: Path, target: Path) -> None:
    all_needs = needs(source)
    chosen = {path for path in all_needs if WANTED.match(path)}
    for path in list(chosen):
        chosen.update(all_needs[path])
    for path in chosen:
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / path, target / path)
    for name in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
        shutil.copy(source / name, target)


def copy_flat(names: list[str], source: Path, target: Path) -> None:
    all_needs = needs(source)
    by_name = {Path(path).name.split(".ko")[0].replace("-", "_"): path for path in all_needs}
    order: list[str] = []
    for name in names:
        path = by_name.get(name)
        if path is not None:  # else it is built in
            order += [one for one in [*reversed(all_needs[path]), path] if one not in order]
    for path in order:
        # The first steps load them without decompressing.
        content = (source / path).read_bytes()
        (target / _plain(path)).write_bytes(lzma.decompress(content) if path.endswith(".xz") else content)
    (target / "order").write_text(" ".join(_plain(path) for path in order) + "\n")


def _plain(path: str) -> str:
    return Path(path).name.removesuffix(".xz")


if __name__ == "__main__":
    *options, source_arg, target_arg = sys.argv[1:]
    Path(target_arg).mkdir(parents=True, exist_ok=True)
    if options:
        copy_flat(options[1].split(","), Path(source_arg), Path(target_arg))
    else:
        copy_chosen(Path(source_arg), Path(target_arg))
