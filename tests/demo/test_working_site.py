"""The site at work: two benches pack orders, and everything ends with it."""

import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

from harness.waiting import wait_for

PATIENCE_S = 90.0


def test_both_benches_pack_until_it_is_stopped(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "agent.demo.working_site", "0"],
        env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": os.getcwd()},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())

    def have_both_packed() -> bool:
        with opener.open(f"{board}/api/v1/orders?status=packed") as answer:
            packed = answer.read().decode()
        return "BENCH-A-0001" in packed and "BENCH-B-0001" in packed

    try:
        link = re.search(r"http\S+/sign-in/\S+", process.stdout.readline())
        assert link is not None
        board = link[0].partition("/sign-in/")[0]
        opener.open(link[0]).close()
        wait_for(have_both_packed, "an order of each bench", deadline_s=PATIENCE_S, poll_s=0.5)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 0
    finally:
        process.terminate()  # not a kill: it ends what it has started
        process.wait(PATIENCE_S)
        process.stdout.close()
    assert list(tmp_path.iterdir()) == []
