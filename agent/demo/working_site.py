"""A site at work: a broker, a real centre and two simulated benches, until it is stopped. All temporary.

`make centre`, or `python -m agent.demo.working_site [PORT]`, where PORT is the board's; 0 takes any free one.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from agent.demo.broker import running_broker
from agent.demo.centre_process import DemoCentre
from agent.errors import KioskError

__all__ = ["run"]

BOARD_PORT = 8080
BENCHES = (("bench-a", "E7"), ("bench-b", "E8"))
_STOP_S = 10.0
_POLL_S = 0.5


def run(port: int) -> int:
    """Run until SIGINT or SIGTERM. Raises KioskError if a part does not start, or ends."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with TemporaryDirectory(prefix="kiosk-centre-") as name, ExitStack() as stack:
        folder = Path(name)
        broker = stack.enter_context(running_broker())
        centre = stack.enter_context(DemoCentre(folder, broker, on_event=lambda _: None, web_port=port, orders=()))
        benches = [stack.enter_context(_bench(bench, operator, broker, centre, folder)) for bench, operator in BENCHES]
        print(f"The board: {centre.sign_in_link} (signs in once)\nTwo benches are at work. Ctrl-C ends it.", flush=True)
        while all(bench.poll() is None for bench in benches):
            if centre.failed is not None:
                raise KioskError(centre.failed)
            time.sleep(_POLL_S)
        raise KioskError("a bench has ended")


@contextmanager
def _bench(
    name: str, operator: str, broker: int, centre: DemoCentre, folder: Path
) -> "Iterator[subprocess.Popen[str]]":
    with (folder / f"{name}.log").open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "agent.demo.bench_worker", name, operator, str(broker), centre.board, str(folder)],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            text=True,
            start_new_session=True,
        )
    assert process.stdin is not None
    process.stdin.write(f"{centre.token}\n")
    process.stdin.flush()
    try:
        yield process
    finally:
        process.stdin.close()  # tells it to end; so does our own end, whatever it is
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def main() -> int:
    """Run it; return the exit code."""
    try:
        return run(int(sys.argv[1]) if len(sys.argv) > 1 else BOARD_PORT)
    except KeyboardInterrupt:
        return 0
    except KioskError as exc:
        print(f"make centre: {exc}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
