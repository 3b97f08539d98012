"""The clocks: text form, how synchronisation is detected and for how long it is cached, and the fake clock."""

import ctypes
import re
import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.runtime import clock
from agent.runtime.clock import Clock, FakeClock, SystemClock

UTC_TEXT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture(params=["system", "fake"])
def any_clock(request: pytest.FixtureRequest) -> Clock:
    return SystemClock() if request.param == "system" else FakeClock()


def test_every_clock_implements_the_protocol(any_clock: Clock) -> None:
    assert UTC_TEXT.fullmatch(any_clock.utc_text())
    assert isinstance(any_clock.synced(), bool)
    assert str(uuid.UUID(any_clock.boot_id())) == any_clock.boot_id()
    assert any_clock.boot_id() == any_clock.boot_id()
    before_ns, before_s = any_clock.monotonic_ns(), any_clock.monotonic()
    assert any_clock.monotonic_ns() >= before_ns
    assert any_clock.monotonic() >= before_s
    assert abs(any_clock.monotonic() - any_clock.monotonic_ns() / 1e9) < 1


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_795_369_981_123_999_999, "2026-11-22T17:53:01.123Z"),
        (1_795_369_981_999_999_999, "2026-11-22T17:53:01.999Z"),
        (1_795_369_982_000_000_000, "2026-11-22T17:53:02.000Z"),
        (951_827_696_001_000_000, "2000-02-29T12:34:56.001Z"),
    ],
)
def test_utc_text_cuts_to_milliseconds(monkeypatch: pytest.MonkeyPatch, ns: int, text: str) -> None:
    system = SystemClock()
    monkeypatch.setattr("time.time_ns", lambda: ns)
    assert system.utc_text() == text
    assert system.utc_text() == text


def test_utc_text_follows_a_clock_that_jumps_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """(`faults.md#wrong-clock`)"""
    system = SystemClock()
    texts = []
    for ns in (5_000_000_000, 4_001_000_000, 5_002_000_000):
        monkeypatch.setattr("time.time_ns", lambda ns=ns: ns)
        texts.append(system.utc_text())
    assert texts == ["1970-01-01T00:00:05.000Z", "1970-01-01T00:00:04.001Z", "1970-01-01T00:00:05.002Z"]


def test_boot_id_is_the_kernels(tmp_path: Path) -> None:
    file = tmp_path / "boot_id"
    file.write_text("7d1e40aa-1111-4222-8333-444455556666\n")
    assert SystemClock(boot_id_path=file).boot_id() == "7d1e40aa-1111-4222-8333-444455556666"


@pytest.mark.parametrize("content", [None, b"", b"\xff\n"])
def test_boot_id_missing_or_broken_is_a_random_one(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "boot_id"
    if content is not None:
        file.write_bytes(content)
    ids = {SystemClock(boot_id_path=file).boot_id() for _ in range(2)}
    assert len(ids) == 2
    assert all(str(uuid.UUID(one)) == one for one in ids)


def test_synced_by_the_file_of_timesyncd_without_asking_the_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_asked() -> bool:
        raise AssertionError("the kernel was asked")

    monkeypatch.setattr(clock, "_kernel_synced", not_asked)
    file = tmp_path / "synchronized"
    file.touch()
    assert SystemClock(synced_path=file).synced() is True


@pytest.mark.parametrize("kernel", [True, False])
def test_synced_without_the_file_is_what_the_kernel_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kernel: bool
) -> None:
    """(`faults.md#wrong-clock`)"""
    monkeypatch.setattr(clock, "_kernel_synced", lambda: kernel)
    assert SystemClock(synced_path=tmp_path / "none").synced() is kernel


@pytest.mark.parametrize(("state", "synced"), [(0, True), (1, True), (4, True), (5, False), (-1, False)])
def test_kernel_synced_reads_the_state_of_adjtimex(monkeypatch: pytest.MonkeyPatch, state: int, synced: bool) -> None:
    class Library:
        @staticmethod
        def adjtimex(timex: ctypes.Array[ctypes.c_char]) -> int:
            assert bytes(timex) == bytes(len(timex)), "only zeros do not set the clock"
            assert len(timex) >= 208
            return state

    monkeypatch.setattr(ctypes, "CDLL", lambda _name: Library)
    assert clock._kernel_synced() is synced


def test_synced_is_cached_for_ten_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    asked = []

    def kernel() -> bool:
        asked.append(now[0])
        return len(asked) > 1

    monkeypatch.setattr(clock, "_kernel_synced", kernel)
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    system = SystemClock(synced_path=tmp_path / "none")
    seen = []
    for at in (100.0, 109.9, 110.0, 119.9):
        now[0] = at
        seen.append(system.synced())
    assert seen == [False, False, True, True]
    assert asked == [100.0, 110.0]


@given(steps=st.lists(st.integers(0, 10**7), max_size=20))
def test_fake_clock_advances_as_told(steps: list[int]) -> None:
    fake = FakeClock(monotonic_s=0, utc_ms=0)
    for ms in steps:
        fake.advance(ms / 1000)
    assert fake.monotonic_ns() == sum(steps) * 1_000_000
    assert fake.monotonic() == pytest.approx(sum(steps) / 1000)
    jumped = FakeClock(monotonic_s=0, utc_ms=sum(steps))
    assert fake.utc_text() == jumped.utc_text()


def test_fake_clock_never_goes_back() -> None:
    with pytest.raises(ValueError, match="never goes back"):
        FakeClock().advance(-1)


def test_fake_clock_utc_jumps_while_durations_stay() -> None:
    """(`faults.md#wrong-clock`)"""
    fake = FakeClock(synced=False)
    before = fake.monotonic_ns()
    fake.set_utc(86_400_000, synced=True)
    assert fake.utc_text() == "1970-01-02T00:00:00.000Z"
    assert fake.synced() is True
    assert fake.monotonic_ns() == before
