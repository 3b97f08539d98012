"""Files with secrets."""

import base64
import os
from pathlib import Path

import pytest

from centre.configuration.secret_files import secret_in, webhook_key_in


@pytest.mark.parametrize(("content", "secret"), [(b"a b\n", "a b"), (b"a\r\n", "a"), (b"\xc3\xa4", "ä"), (b" \n", " ")])
def test_a_secret_is_all_but_the_line_end(tmp_path: Path, content: bytes, secret: str) -> None:
    (tmp_path / "s").write_bytes(content)
    assert secret_in(tmp_path / "s") == secret


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff", b"x" * 65536])
def test_what_is_no_secret(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "s").write_bytes(content)
    with pytest.raises(ValueError, match=r"UTF-8|one line of 1"):
        secret_in(tmp_path / "s")


def test_a_fifo_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "s")
    with pytest.raises(OSError, match="not a regular file"):
        secret_in(tmp_path / "s")


@pytest.mark.parametrize("size", [24, 64])
def test_the_key_of_a_webhook(tmp_path: Path, size: int) -> None:
    key = bytes(range(size))
    (tmp_path / "s").write_text(f"whsec_{base64.b64encode(key).decode()}\n")
    assert webhook_key_in(tmp_path / "s") == key


@pytest.mark.parametrize("text", ["whsec_", "whsec_!", "AAAA" * 8, "whsec_" + "AAAA" * 7, "whsec_" + "AAAA" * 22])
def test_what_is_no_key(tmp_path: Path, text: str) -> None:
    (tmp_path / "s").write_text(text)
    with pytest.raises(ValueError, match="whsec_ and 24 to 64 bytes"):
        webhook_key_in(tmp_path / "s")
