"""A disk with a volatile write cache, served to QEMU over NBD.

At a power cut, each block that was not flushed is kept, dropped or torn. Killing QEMU alone would lose nothing: the
host would still write everything. A flush takes as long as on an SD card, so that cuts fall between a write and its
flush.

The protocol is the NBD specification's (doc/proto.md of github.com/NetworkBlockDevice/nbd), fixed newstyle, as much of
it as QEMU's client needs.
"""

import os
import random
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Cut", "LossyDisk"]

_BLOCK = 4096
_SECTOR = 512

_GREETING = b"NBDMAGICIHAVEOPT" + struct.pack(">H", 3)
_EXPORT_NAME, _INFO, _GO = 1, 6, 7
_HAS_FLAGS, _SEND_FLUSH, _SEND_FUA = 1, 4, 8
_READ, _WRITE, _DISCONNECT, _FLUSH = 0, 1, 2, 3
_ACK, _INFO_REPLY, _UNSUPPORTED = 1, 3, 0x80000001
_INVALID = 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What a power cut did to the blocks that were written and not flushed."""

    kept: int
    torn: int
    lost: int


class PowerOffError(Exception):
    """The power of the disk is off."""


class LossyDisk:
    """Serves one image to one client, until `cut`.

    `chance` decides what becomes of each block, and how long a flush takes, up to `flush_s`. A disk that is `lying`
    answers flushes and does nothing.
    """

    def __init__(
        self, image: Path, socket_path: Path, chance: random.Random, *, flush_s: float = 0.03, lying: bool = False
    ) -> None:
        self._file = image.open("r+b")
        self._size = self._file.seek(0, os.SEEK_END)
        self._chance = chance
        self._flush_s = flush_s
        self._lying = lying
        self._without_power = threading.Event()
        self._cache: dict[int, bytearray] = {}
        socket_path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(socket_path))
        self._listener.listen(1)
        self._thread = threading.Thread(target=self._serve, name="lossy-disk", daemon=True)
        self._thread.start()

    def cut(self, kill: Callable[[], None]) -> Cut:
        """Cut the power of the disk, then that of the machine with `kill`, and decide what becomes of each block.

        The disk comes first: from then on no flush ends, so no success is signalled for what is not on the disk.
        """
        self._without_power.set()
        kill()
        self._thread.join()
        kept = torn = lost = 0
        for block, data in sorted(self._cache.items()):
            draw = self._chance.random()
            size = _BLOCK if draw < 0.4 else _SECTOR * self._chance.randrange(1, 8) if draw < 0.5 else 0
            self._file.seek(block * _BLOCK)
            self._file.write(data[:size])
            kept, torn, lost = kept + (size == _BLOCK), torn + (0 < size < _BLOCK), lost + (size == 0)
        self._file.close()
        self._listener.close()
        return Cut(kept=kept, torn=torn, lost=lost)

    def _serve(self) -> None:
        self._client, _ = self._listener.accept()
        try:
            if self._negotiate():
                while self._request():
                    pass
        except (ConnectionError, PowerOffError):
            return
        finally:
            self._client.close()

    def _take(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            part = self._client.recv(size - len(data))
            if not part:
                raise ConnectionAbortedError
            data += part
        return bytes(data)

    def _negotiate(self) -> bool:
        self._client.sendall(_GREETING)
        without_zeroes = int.from_bytes(self._take(4)) & 2
        flags = _HAS_FLAGS | _SEND_FLUSH | _SEND_FUA
        while True:
            _, option, size = struct.unpack(">QII", self._take(16))
            self._take(size)
            if option == _EXPORT_NAME:
                self._client.sendall(struct.pack(">QH", self._size, flags) + (b"" if without_zeroes else bytes(124)))
                return True
            if option in (_INFO, _GO):
                self._reply(option, _INFO_REPLY, struct.pack(">HQH", 0, self._size, flags))
                self._reply(option, _INFO_REPLY, struct.pack(">HIII", 3, 1, _BLOCK, 1 << 25))
                self._reply(option, _ACK)
                if option == _GO:
                    return True
            else:
                self._reply(option, _UNSUPPORTED)

    def _reply(self, option: int, kind: int, data: bytes = b"") -> None:
        self._client.sendall(struct.pack(">QIII", 0x3E889045565A9, option, kind, len(data)) + data)

    def _request(self) -> bool:
        _, flags, kind, handle, offset, size = struct.unpack(">IHHQQI", self._take(28))
        if self._without_power.is_set():
            raise PowerOffError
        answer, error = b"", 0
        if kind == _READ:
            answer = self._read(offset, size)
        elif kind == _WRITE:
            self._write(offset, self._take(size))
            if flags & 1:
                self._flush()
        elif kind == _FLUSH:
            self._flush()
        elif kind == _DISCONNECT:
            return False
        else:
            error = _INVALID
        self._client.sendall(struct.pack(">IIQ", 0x67446698, error, handle) + answer)
        return True

    def _block(self, number: int) -> bytes | bytearray:
        cached = self._cache.get(number)
        if cached is not None:
            return cached
        self._file.seek(number * _BLOCK)
        return self._file.read(_BLOCK)

    def _read(self, offset: int, size: int) -> bytes:
        first, last = offset // _BLOCK, (offset + size - 1) // _BLOCK
        data = b"".join(self._block(number) for number in range(first, last + 1))
        begin = offset - first * _BLOCK
        return data[begin : begin + size]

    def _write(self, offset: int, data: bytes) -> None:
        at = 0
        while at < len(data):
            number, begin = divmod(offset + at, _BLOCK)
            size = min(_BLOCK - begin, len(data) - at)
            if number not in self._cache:
                self._cache[number] = bytearray(self._block(number))
            self._cache[number][begin : begin + size] = data[at : at + size]
            at += size

    def _flush(self) -> None:
        if self._lying:
            return
        if self._cache and self._without_power.wait(self._chance.uniform(0, self._flush_s)):
            raise PowerOffError
        for number, data in self._cache.items():
            self._file.seek(number * _BLOCK)
            self._file.write(data)
        self._cache.clear()
