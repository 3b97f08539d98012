"""One look at the whole kiosk: what `health` says, and how it says it."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from agent.contract.kiosk_health import CertificateExpiry
from agent.daemon.disk_reserve import DiskReserve
from agent.daemon.ledger import Ledger, open_state
from agent.daemon.monitor import journal_report, percentile_ms, uplink_report
from agent.runtime.clock import FakeClock
from agent.uplink.uplink_health import Situation, UplinkHealth

MB = 1 << 20
UPLINK = UplinkHealth(
    situation=Situation(online=True, state="online", host="h:1"),
    backlog=12,
    sent=30,
    acked=18,
    last_sequence=30,
    acked_sequence=18,
    refused=0,
    refusals=0,
)


def ledger_on(directory: Path) -> Ledger:
    return Ledger(
        open_journal=lambda: open_state(directory), source="/kiosk/a/b", clock=FakeClock(), is_starved=lambda _: False
    )


def test_sequences_are_twelve_digits_and_times_are_utc() -> None:
    """`mqtt.md#health`, `mqtt.md#json-values`"""
    expires = datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)
    uplink = replace(UPLINK, situation=replace(UPLINK.situation, server_certificate_expires=expires))
    report = uplink_report(uplink, oldest_age_s=7)
    assert (report.last, report.acked, report.backlog, report.oldest_age_s) == ("000000000030", "000000000018", 12, 7)
    assert report.certificate_expires == CertificateExpiry(server="2027-01-02T03:04:05.000Z", client=None)


def test_the_time_to_a_full_disk_leaves_out_the_reserve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ledger_on(tmp_path / "journal") as ledger:
        assert ledger.journal is not None
        monkeypatch.setattr(ledger.journal, "free_bytes", lambda: 26 * MB)
        reserve = DiskReserve(16 * MB, FakeClock())
        report = journal_report(ledger, MB, reserve)
        assert (report.id, report.fault) == (ledger.journal.id, None)
        assert (report.free_bytes, report.time_to_full_s) == (26 * MB, 10)
        assert journal_report(ledger, 0.0, reserve).time_to_full_s is None


def test_health_is_told_without_the_space_of_a_disk_that_does_not_answer(tmp_path: Path) -> None:
    """`faults.md#disk-fault`"""
    with ledger_on(tmp_path / "journal") as ledger:
        shutil.rmtree(tmp_path / "journal")
        ledger.fault = "no such directory"
        report = journal_report(ledger, 0.0, DiskReserve(0, FakeClock()))
    assert report.free_bytes is None
    assert report.time_to_full_s is None
    assert report.fault == "no such directory"


def test_a_journal_that_is_not_open_has_no_facts(tmp_path: Path) -> None:
    report = journal_report(ledger_on(tmp_path), 0.0, DiskReserve(0, FakeClock()))
    assert (report.id, report.free_bytes, report.dropped_tail_bytes) == (None, None, None)
    assert report.fault == "the journal is not open yet"


def test_a_text_that_utf8_cannot_encode_is_escaped(tmp_path: Path) -> None:
    ledger = ledger_on(tmp_path)
    ledger.fault = "no file \udcff"
    assert journal_report(ledger, 0.0, DiskReserve(0, FakeClock())).fault == r"no file \udcff"


@pytest.mark.parametrize(
    ("values_s", "share", "ms"),
    [([], 0.5, None), ([0.001], 0.5, 1.0), ([0.003, 0.001, 0.002], 0.5, 2.0), ([0.001] * 99 + [0.5], 0.99, 500.0)],
)
def test_percentiles(values_s: list[float], share: float, ms: float | None) -> None:
    assert percentile_ms(values_s, share) == ms
