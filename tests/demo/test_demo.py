"""The demonstration as people start it: the whole of it, as a process."""

import os
import pty
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
from msgspec.structs import replace
from agent.demo import demo, script
step = script.SCENES[0].steps[1]
demo.ORDERS = ()
demo.SCENES = (script.Scene("a scene", (replace(step, portrait=True),)),)
"""
"""A play of one step, signing in, after which no order need be packed."""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """Where the demonstration may leave its temporary things; it must be as empty at the end."""
    place = tmp_path / "tmp"
    place.mkdir()
    yield place
    assert list(place.iterdir()) == []


def environment(place: Path) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(place), "PYTHONPATH": os.getcwd()}


def demo(place: Path, *args: str, typed: str = "", before: str = "") -> "subprocess.CompletedProcess[str]":
    """Run it to its end, with `before` as code that prepares the interpreter."""
    main = f"import sys\n{before}\nfrom agent.cli import main\nsys.exit(main(['demo', *sys.argv[1:]]))"
    return subprocess.run(
        [sys.executable, "-c", main, *args], env=environment(place), input=typed, text=True, capture_output=True,
        timeout=PATIENCE_S, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("broker", ["mosquitto", "embedded"])
def test_the_play_succeeds_when_the_centre_has_everything(place: Path, broker: str) -> None:
    """Rule: commands.md#demo."""
    done = demo(place, "--play", "--broker", broker)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "are stored by the centre, in sequence, byte for byte." in done.stdout
    assert done.stdout.endswith("Packed: DO-2002, MX-4004, PO-3003, SO-1001.\n")


def test_the_play_fails_when_the_centre_misses_an_event(place: Path) -> None:
    forget = (
        "from agent.demo.central import Central\n"
        "stored = Central.stored\n"
        "Central.stored = lambda self: {n: d for n, d in stored(self).items() if n != 1}"
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
    """Rule: commands.md#demo."""
    words = ["order so-1001", "badge e7", "order do-2002", "product 1", "imei 1", "imei 9", "imei 2", "save", "save"]
    done = demo(place, typed="\n".join([*words, "box m", "save\n"]))
    assert (done.returncode, done.stderr) == (0, "")
    signals = [line.split("light")[0].split()[-1] for line in done.stdout.splitlines() if line.startswith("scan ")]
    assert signals == ["reject", "ok", "ok", "ok", "ok", "line_done", "boxed", "reject", "ok", "saved"]
    assert "       of this order there are imei 1 to imei 4\n" in done.stdout
    assert "next   the box is made: choose its size: box m · box s" in done.stdout
    last = done.stdout.splitlines()[-1]
    assert last.startswith("Of ")
    assert len({word.rstrip(".") for word in last.split() if word.rstrip(".").isdigit()}) == 1, "all were stored"


def test_the_picture_can_be_had_as_a_file(place: Path, tmp_path: Path) -> None:
    done = demo(place, "--svg", str(tmp_path / "demo.svg"), before=SHORT)
    assert (done.returncode, done.stderr) == (0, "")
    assert "operator.signed_in" in (tmp_path / "demo.svg").read_text("utf-8").replace("&#160;", " ")


def test_without_rich_there_is_a_hint_what_to_install(place: Path, tmp_path: Path) -> None:
    done = demo(place, "--svg", str(tmp_path / "demo.svg"), before="sys.modules['rich'] = None")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "kiosk-agent: the demo's picture needs rich: pip install 'kiosk-agent[demo]'\n"


# -- at a terminal -----------------------------------------------------------------------------------------------


class Terminal:
    """The demonstration at a pseudo-terminal of its own."""

    def __init__(self, place: Path, *args: str) -> None:
        self.fd, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        self.shown = b""
        env = {**environment(place), "TERM": "xterm-256color", "COLUMNS": "110", "LINES": "34"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "agent", "demo", *args], env=env, stdin=self.slave, stdout=self.slave,
            stderr=self.slave, start_new_session=True,
            # Tests run by nohup ignore it, and so would what they start.
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
        return self.process.returncode

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.fd)
        os.close(self.slave)

    def _read_until(self, done: Callable[[], bool]) -> None:
        until = time.monotonic() + PATIENCE_S
        while not done():
            assert time.monotonic() < until, self.shown[-2000:]
            if select.select([self.fd], [], [], 0.05)[0]:
                self.shown += os.read(self.fd, 65536)


@pytest.mark.parametrize(
    ("sent", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 0), (signal.SIGHUP, ExitCode.INTERRUPTED)]
)
def test_an_interrupted_demo_leaves_the_terminal_as_it_was(place: Path, sent: signal.Signals, code: int) -> None:
    terminal = Terminal(place)
    try:
        terminal.until(b"nobody signed in")
        terminal.type(b"badge e8\x7f7\r")
        terminal.until(b"operator E7")
        assert termios.tcgetattr(terminal.slave) != terminal.before
        terminal.process.send_signal(sent)
        assert terminal.end() == code
        assert termios.tcgetattr(terminal.slave) == terminal.before
        assert b"\x1b[?1049l" in terminal.shown, "the alternate screen is left"
        assert b"Traceback" not in terminal.shown
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
