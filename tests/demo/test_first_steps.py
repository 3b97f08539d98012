"""What README and tutorial tell the reader to type in the demo gets the signals that they promise."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, fences_of

PATIENCE_S = 60.0
SCAN = re.compile(r"^scan +(.+?)  +(\w+) +light .+?buzzer .+?(?:  +([a-z]+_[a-z_]+))?$", re.MULTILINE)


def steps_of(page: Path) -> list[tuple[str, str]]:
    """(word, signal and reason) of each line of the page's `demo` blocks, up to `quit`."""
    lines = [line for block in fences_of(page, "demo") for line in block.splitlines()]
    parts = [line.partition("  ") for line in lines]
    return [(word, " ".join(signal.split())) for word, _, signal in parts]


def answers_to(words: list[str], folder: Path) -> list[tuple[str, str]]:
    """Type the words in the demo; (word, signal and reason) of each scan."""
    done = subprocess.run(
        [sys.executable, "-m", "agent", "demo"],
        env={**os.environ, "TMPDIR": str(folder), "PYTHONPATH": str(ROOT)},
        input="\n".join(words) + "\n",
        text=True,
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    found = SCAN.findall(done.stdout)
    return [(word, " ".join(part for part in (signal, reason) if part)) for word, signal, reason in found]


@pytest.mark.parametrize("name", ["README.md", "docs/tutorial.md"])
def test_steps_get_the_signals_that_the_page_shows(name: str, tmp_path: Path) -> None:
    steps = steps_of(ROOT / name)
    assert steps[-1] == ("quit", "")
    assert answers_to([word for word, _ in steps], tmp_path) == steps[:-1]


def test_readme_shows_no_refusal_and_ends_with_a_packed_order() -> None:
    signals = [signal for _, signal in steps_of(ROOT / "README.md")]
    assert not [signal for signal in signals if signal.startswith("reject")]
    assert "confirmed" in signals
