"""What becomes of a kiosk's journal that goes back in time: an old card, a clone, a gap."""

import shutil
from base64 import b64decode
from pathlib import Path
from typing import Any

from harness.site import Site, site_of
from harness.waiting import wait_for


def journals(site: Site, kiosk: str = "dock-1") -> list[dict[str, Any]]:
    """Return the runs that the centre has of a kiosk."""
    found: list[dict[str, Any]] = site.centre.get(f"/kiosks/rtm1/{kiosk}")["journals"]
    return found


def packed(site: Site) -> list[str]:
    """Pack an order; return its devices."""
    order, units = site.order(2)
    site.bench.pack(order, units)
    found = site.wait_order(order, "packed")
    assert [one["pending"] for one in found["lines"]] == [0]
    return units


def test_an_old_card_goes_on_under_a_new_journal(tmp_path: Path, database_url: str | None) -> None:
    """The card is copied, works on, and is replaced by the copy, which works before it reaches the centre."""
    with site_of(tmp_path, database_url=database_url) as site:
        kiosk, state = site.bench.kiosk, site.bench.kiosk.state_dir
        packed(site)
        site.wait_delivered()
        assert kiosk.stop() == 0
        shutil.copytree(state, tmp_path / "copy")
        kiosk.start()
        packed(site)
        site.wait_delivered()
        newer = {document for document, _ in kiosk.exported()}

        assert kiosk.stop() == 0
        shutil.rmtree(state)
        shutil.copytree(tmp_path / "copy", state)
        site.brokers[0].kill()
        kiosk.spawn()
        wait_for(lambda: site.bench.station.scan("who-is-there").signal == "reject", "the kiosk to work", poll_s=0.5)
        site.bench.station.scan("another-scan")
        site.brokers[0].start()
        site.centre.wait_ready()
        packed(site)
        site.wait_delivered(deadline_s=60)

        runs = journals(site)
        names = {run["journal"] for run in runs}
        assert len(names) == 2, runs
        assert [run["through"] for run in runs] == [run["highest"] for run in runs]
        older = {document for document, _ in kiosk.exported()}
        letters = site.centre.get("/dead-letters")["items"]
        # On this machine both cards have one boot id: two documents have one id, and the second is a dead letter.
        assert {letter["reason"] for letter in letters} <= {"second_document"}
        assert set(site.centre.events()) | {b64decode(letter["payload"]) for letter in letters} == newer | older
        assert {run["branch"] for run in runs} == {0}
        assert "Traceback" not in site.centre.output()
