"""The demo as people start it: as a process, with its end, its exit code and everything cleaned up."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.exit_codes import ExitCode

PATIENCE_S = 60.0

SHORT = """
from agent.demo import demo, script
demo.ORDERS = ()
demo.SCENES = (script.Scene("a scene", (script.SCENES[0].steps[1],)),)
"""
"""A play of one step, signing in, after which no order need be packed."""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """The folder for temporary files; it must be as empty at the end."""
    place = tmp_path / "tmp"
    place.mkdir()
    yield place
    assert list(place.iterdir()) == []


def environment(place: Path) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(place), "PYTHONPATH": os.getcwd()}


def demo(place: Path, *args: str, typed: str = "", before: str = "") -> "subprocess.CompletedProcess[str]":
    """Run it to its end; `before` is code that prepares the interpreter."""
    main = f"import sys\n{before}\nfrom agent.cli import main\nsys.exit(main(['demo', *sys.argv[1:]]))"
    return subprocess.run(
        [sys.executable, "-c", main, *args], env=environment(place), input=typed, text=True, capture_output=True,
        timeout=PATIENCE_S, check=False,
    )  # fmt: skip


def test_the_play_succeeds_when_the_centre_has_everything(place: Path) -> None:
    """Rule: commands.md#demo."""
    done = demo(place, "--play")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "are stored by the centre, in sequence, byte for byte." in done.stdout
    assert done.stdout.endswith("Packed: DO-2002, MX-4004, PO-3003, SO-1001.\n")


def test_the_play_fails_when_the_centre_misses_an_event(place: Path) -> None:
    forget = (
        "from agent.demo.centre_process import DemoCentre\n"
        "stored = DemoCentre.stored\n"
        "DemoCentre.stored = lambda self: {n: d for n, d in stored(self).items() if n != 1}"
    )
    done = demo(place, "--play", before=f"{SHORT}\n{forget}")
    assert done.returncode == ExitCode.BUG
    assert "MISSING  1 events not stored by the centre: 1\n" in done.stdout


def test_a_play_that_goes_wrong_says_where(place: Path) -> None:
    other = (
        "from agent.demo import demo, script\n"
        "step = script.SCENES[0].steps[1]\n"
        "demo.SCENES = (script.Scene('a scene', (step, step)),)"
    )
    done = demo(place, "--play", before=other)
    assert done.returncode == ExitCode.BUG
    assert "MISSING  badge e7: expected ok, got again\n" in done.stdout
    assert "MISSING  not packed: DO-2002, MX-4004, PO-3003, SO-1001\n" in done.stdout


def test_piped_words_are_answered_one_by_one(place: Path) -> None:
    words = ["order so-1001", "badge e7", "order do-2002", "product 1", "imei 1", "imei 9", "imei 2", "save", "save"]
    done = demo(place, typed="\n".join([*words, "box m", "save\n"]))
    assert (done.returncode, done.stderr) == (0, "")
    signals = [line.split("light")[0].split()[-1] for line in done.stdout.splitlines() if line.startswith("scan ")]
    assert signals == ["reject", "ok", "ok", "ok", "ok", "line_done", "boxed", "reject", "ok", "saved"]
    assert "       of this order there are imei 1 to imei 4\n" in done.stdout
    assert "order  DO-2002: 2 of 4 scanned\nnext   the box is made: choose its size: box m · box s" in done.stdout
    last = done.stdout.splitlines()[-1]
    assert last.startswith("Of ")
    assert len({word.rstrip(".") for word in last.split() if word.rstrip(".").isdigit()}) == 1, "all were stored"


def test_without_amqtt_it_says_what_to_install(place: Path) -> None:
    done = demo(place, "--play", before="sys.modules['amqtt'] = None")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "kiosk-agent: the demo needs a broker: pip install 'kiosk-agent[demo]'\n"


def test_without_the_centres_libraries_it_says_what_to_install(place: Path) -> None:
    missing = (
        "from agent.demo import centre_process\n"
        "centre_process.DemoCentre._argv = lambda self, *command: [sys.executable, '-c', 'import none_such']"
    )
    done = demo(place, "--play", before=missing)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "kiosk-agent: the demo needs the centre: pip install 'kiosk-agent[demo]'\n"


def test_the_address_of_the_board_is_shown_first(place: Path) -> None:
    done = demo(place, typed="quit\n")
    assert re.match(r"board  http://127\.0\.0\.1:\d+/sign-in/\S+   \(signs in once\)\n", done.stdout)


# -- at a terminal -----------------------------------------------------------------------------------------------


class Terminal:
    """The demo at a pseudo-terminal of its own."""

    def __init__(self, place: Path, *args: str) -> None:
        self.fd, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        self.shown = b""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "agent", "demo", *args], env=environment(place), stdin=self.slave,
            stdout=self.slave, stderr=self.slave, start_new_session=True,
            # Tests that run under nohup ignore SIGHUP, and so would what they start.
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
        )  # fmt: skip

    def type(self, text: bytes) -> None:
        os.write(self.fd, text)

    def until(self, text: bytes) -> None:
        """Wait for something to be shown that was not shown before."""
        self._read_until(lambda: text in self.shown)
        self.shown = self.shown.partition(text)[2]

    def end(self) -> int:
        self._read_until(lambda: self.process.poll() is not None)
        self._read_until(lambda: not select.select([self.fd], [], [], 0)[0])
        return self.process.returncode

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.fd)
        os.close(self.slave)

    def _read_until(self, is_done: Callable[[], bool]) -> None:
        until = time.monotonic() + PATIENCE_S
        while not is_done():
            assert time.monotonic() < until, self.shown[-2000:]
            if select.select([self.fd], [], [], 0.05)[0]:
                self.shown += os.read(self.fd, 65536)


@pytest.mark.parametrize(
    ("sent", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 0), (signal.SIGHUP, ExitCode.INTERRUPTED)]
)
def test_an_interrupted_demo_ends_in_order(place: Path, sent: signal.Signals, code: int) -> None:
    terminal = Terminal(place)
    try:
        terminal.until(b"next   nobody is signed in")
        terminal.until(b"scan>  ")
        terminal.type(b"badge e8\x7f7\r")
        terminal.until(b"operator.signed_in       E7")
        terminal.until(b"scan>  ")
        terminal.process.send_signal(sent)
        assert terminal.end() == code
        assert termios.tcgetattr(terminal.slave) == terminal.before
        assert b"Traceback" not in terminal.shown
        assert b"Of 1 events in the journal, the centre has stored 1." in terminal.shown or code
    finally:
        terminal.close()


def test_ctrl_d_ends_it(place: Path) -> None:
    terminal = Terminal(place)
    try:
        terminal.until(b"scan>  ")
        terminal.type(b"badge e7\r")
        terminal.until(b"scan>  ")
        terminal.type(b"\x04")
        assert terminal.end() == 0
        assert b"Of 1 events in the journal, the centre has stored 1." in terminal.shown
    finally:
        terminal.close()


def test_a_play_that_is_watched_can_be_interrupted(place: Path) -> None:
    terminal = Terminal(place, "--play")
    try:
        terminal.until(b"job 1 of 5")
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.end() == ExitCode.INTERRUPTED
        assert b"The play was interrupted." in terminal.shown
    finally:
        terminal.close()
