"""From an order at the centre to the packed order at the centre, by way of a real broker and real kiosks."""

import json
from pathlib import Path

import paho.mqtt.publish

from harness.codes import command
from harness.site import site_of
from harness.waiting import wait_for
from harness.warehouse import line, manifest


def test_an_order_put_by_rest_is_packed_at_a_kiosk(tmp_path: Path, database_url: str | None) -> None:
    with site_of(tmp_path, database_url=database_url) as site:
        order, units = site.order(2)
        site.bench.pack(order, units)
        found = site.wait_order(order, "packed")
        [box] = found["boxes"]
        assert (box["kiosk"], box["size"]["code"]) == ("dock-1", "M")
        assert sorted(unit for content in box["contents"] for unit in content["units"]) == sorted(units)
        [counted] = found["lines"]
        assert (counted["ordered"], counted["scanned"], counted["pending"]) == (2, 2, 0)
        assert found["operators"] == {"picking": "E7", "packing": "E7", "shipping": "E7"}
        device = site.centre.get(f"/units/{units[1]}")
        assert (device["state"], device["order"], device["box"]) == ("packed", order, box["box"])
        site.wait_delivered()
        site.check()


def test_a_packed_order_is_closed_at_the_other_kiosk(tmp_path: Path) -> None:
    with site_of(tmp_path, kiosks=("dock-1", "dock-2")) as site:
        order, units = site.order(1)
        first, second = site.benches
        second.sign_in()
        second.open(order)
        second.station.scan(command("CLOSE"))
        first.pack(order, units)
        site.wait_order(order, "packed")

        def is_refused() -> bool:
            shown = second.station.scan(order)
            second.station.scan(command("CLOSE"))
            return shown.reason == "order_closed"

        wait_for(is_refused, "the tombstone at the other kiosk", poll_s=0.2)
        site.wait_delivered()
        site.check()


def test_a_box_of_one_kiosk_counts_at_the_other(tmp_path: Path) -> None:
    with site_of(tmp_path, kiosks=("dock-1", "dock-2")) as site:
        order, units = site.order(2)
        first, second = site.benches
        first.sign_in()
        first.open(order)
        signals = first.station.scan_all(units[0], command("SAVE"), command("BOX", "S"), command("SAVE"))
        assert [one.signal for one in signals] == ["ok", "boxed", "ok", "saved"]
        second.sign_in()
        second.open(order)

        def is_known() -> bool:
            answer = second.station.scan(units[0])
            if answer.signal == "ok":
                second.station.scan(command("UNDO"))
            return answer.reason == "already_counted"

        wait_for(is_known, "the box of the first kiosk at the second", poll_s=0.2)
        rest = second.station.scan_all(
            units[1], command("SAVE"), command("BOX", "S"), command("SAVE"), command("PACK"), command("CONFIRM")
        )
        assert rest[-1].signal == "confirmed", rest
        found = site.wait_order(order, "packed")
        assert {box["kiosk"] for box in found["boxes"]} >= {"dock-1", "dock-2"}
        site.wait_delivered()
        site.check()


def test_a_cancelled_order_and_a_withdrawn_one_close_at_the_kiosk(tmp_path: Path) -> None:
    with site_of(tmp_path) as site:
        cancelled, _ = site.order(1)
        withdrawn, _ = site.order(1)
        site.bench.sign_in()
        for order in (cancelled, withdrawn):
            site.bench.open(order)
            site.bench.station.scan(command("CLOSE"))
        assert site.centre.api().post(f"/orders/{cancelled}/cancel").is_success
        assert site.centre.api().post(f"/orders/{withdrawn}/withdraw").is_success

        def answer(order: str) -> str | None:
            shown = site.bench.station.scan(order)
            if shown.signal == "ok":
                site.bench.station.scan(command("CLOSE"))
            return shown.reason

        wait_for(lambda: answer(cancelled) == "order_closed", "the cancelled order to be closed", poll_s=0.2)
        wait_for(lambda: answer(withdrawn) in ("order_unknown", "order_closed"), "the other to be gone", poll_s=0.2)


def test_the_manifest_of_another_system_is_adopted_and_never_written(tmp_path: Path) -> None:
    with site_of(tmp_path) as site:
        order, units = site.supply.order(), site.supply.imeis(1)
        content = manifest(order, line("1", site.supply.sku(), 1, units=[units]), revision=7)
        publish(site.brokers[0].port, f"kiosk/v1/rtm1/order/{order}", content)
        site.bench.pack(order, units)
        found = site.wait_order(order, "packed")
        assert (found["source"], found["revision"]) == ("broker", 7)


def publish(port: int, topic: str, content: dict[str, object]) -> None:
    """Retain a message as another system does."""
    paho.mqtt.publish.single(topic, json.dumps(content), qos=1, retain=True, hostname="127.0.0.1", port=port)
