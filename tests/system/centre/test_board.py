"""The board of a real centre, with real kiosks at work: what a supervisor sees while it happens."""

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import paho.mqtt.publish

from harness.site import Bench, Site, site_of
from harness.waiting import DEADLINE_S, wait_for

ICCID = "8944110068100000012"


@contextmanager
def signed_in(site: Site) -> Iterator[httpx.Client]:
    """Give a browser that the centre's first sign-in link has signed in."""
    found = re.search(r"/sign-in/(\S+)", site.centre.output())
    assert found is not None
    with httpx.Client(base_url=site.centre.url, timeout=DEADLINE_S) as client:
        assert client.get(f"/sign-in/{found.group(1)}").status_code == 303
        yield client


def shown(client: httpx.Client, path: str) -> str:
    """Return the words of a page, with single blanks."""
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return " ".join(re.sub(r"<[^>]*>", " ", answer.text.partition("<main")[2]).split())


def start(site: Site, bench: Bench, count: int) -> tuple[str, list[str]]:
    """Open a new order at a bench."""
    order, units = site.order(count)
    bench.sign_in()
    bench.open(order)
    return order, units


def test_what_needs_a_person_comes_first(tmp_path: Path) -> None:
    kiosks = ("dock-1", "dock-2", "dock-3", "dock-4")
    with site_of(tmp_path, kiosks=kiosks) as site, signed_in(site) as client:
        well, stuck, held, dead = site.benches
        _, units = start(site, well, 3)
        well.station.scan(units[0])
        start(site, stuck, 2)
        stuck.station.scan_all(*[ICCID] * 6)
        order, units = start(site, held, 3)
        held.station.scan(units[0])
        verdict = {"revision": 1, "action": "hold", "order": order, "unit": units[0], "reason": "counted at dock-9"}
        paho.mqtt.publish.single(
            "kiosk/v1/rtm1/agent/dock-3/verdict/v-1", json.dumps(verdict), qos=1, retain=True, hostname="127.0.0.1",
            port=site.brokers[0].port,
        )  # fmt: skip
        start(site, dead, 1)
        site.wait_delivered()
        dead.kiosk.kill()

        def cards() -> list[tuple[str, str]]:
            page = client.get("/").text
            return re.findall(r"<h3><bdi>(\S+)</bdi><span class=\"pill \w+\">.*?</svg>([\w ]+)</span>", page)

        expected = [("dock-3", "held"), ("dock-4", "offline"), ("dock-2", "stuck"), ("dock-1", "scanning")]
        wait_for(lambda: cards() == expected, "the four benches", poll_s=0.2)
        text = shown(client, "/")
        assert f"{units[0]} must not ship: counted at dock-9. Take it out (scan REMOVE, then the phone)" in text
        assert re.search(r"\d+ refusals in 1 min: wrong barcode, it is a SIM card number \(ICCID\)\.", text)
        assert "1 of 3" in text
        assert f"It must not ship (counted at dock-9). Take it out of {order}" in shown(client, f"/find?q={units[0]}")


def test_packed_order_with_its_prints(tmp_path: Path) -> None:
    with site_of(tmp_path) as site, signed_in(site) as client:
        order, units = site.order(2)
        site.bench.pack(order, units)
        site.wait_order(order, "packed")
        text = shown(client, f"/orders/{order}")
        assert f"{order} packed" in text
        assert "packed by Operator E7" in text
        assert f"Counted {units[1]}" in text
        assert "1 order packed today" in shown(client, "/")
        paper = shown(client, f"/orders/{order}/packing-list")
        assert "Box 1 of 1" in paper
        assert all(unit in paper for unit in units)
        assert "It is packed in box" in shown(client, f"/find?q={units[0]}")
        site.wait_delivered()
        site.check()


def test_scan_is_told_to_open_pages_at_once(tmp_path: Path) -> None:
    with site_of(tmp_path) as site, signed_in(site) as client:
        _, units = start(site, site.bench, 2)
        site.wait_delivered()
        time.sleep(1)
        with client.stream("GET", "/live?of=benches") as stream:
            threading.Timer(0.5, site.bench.station.scan, (units[0],)).start()
            lines = stream.iter_lines()
            assert next(line for line in lines if line.startswith("event:")) == "event: changed"
        wait_for(lambda: "1 of 2" in shown(client, "/"), "the scan on the page", poll_s=0.1)


def test_open_page_does_not_hold_up_the_stop(tmp_path: Path) -> None:
    with site_of(tmp_path) as site, signed_in(site) as client, client.stream("GET", "/live?of=benches") as stream:
        time.sleep(0.5)
        began = time.monotonic()
        assert site.centre.stop() == 0
        assert time.monotonic() - began < 10
        assert "event: ended" not in list(stream.iter_lines())
        assert "ERROR" not in site.centre.output()
