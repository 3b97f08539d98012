"""unpack_kernel.py VMLINUZ VMLINUX: the ELF file inside a compressed kernel."""

import subprocess
import sys
from pathlib import Path

MARKS = {b"\xfd7zXZ\0": "xz", b"\x28\xb5\x2f\xfd": "zstd", b"\x1f\x8b\x08": "gzip"}


def unpacked(packed: bytes) -> bytes:
    for mark, program in MARKS.items():
        place = -1
        while (place := packed.find(mark, place + 1)) >= 0:
            # It fails for what follows the compressed part; whether it is right, its first bytes tell.
            done = subprocess.run([program, "-dc"], input=packed[place:], capture_output=True, check=False)
            if done.stdout.startswith(b"\x7fELF"):
                return done.stdout
    raise SystemExit("unpack_kernel.py: no compressed kernel found")


if __name__ == "__main__":
    Path(sys.argv[2]).write_bytes(unpacked(Path(sys.argv[1]).read_bytes()))
