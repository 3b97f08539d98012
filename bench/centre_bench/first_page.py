"""Measure the board's first page with 200 kiosks and 10,000 open orders, against its template fed from memory.

The bound is `budgets.md#first-page-of-the-board`.
"""

import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from msgspec.json import encode
from starlette.requests import Request

from agent.contract.kiosk_status import status_document
from agent.contract.manifest import Flow
from agent.contract.signals import Signal
from agent.contract.station_view import BoxView, LastSignal, Phase, StationView
from bench.centre_bench.kiosk_load import DEVICES, order_name
from bench.centre_bench.site import CentreSite, running_centre
from bench.centre_bench.stores import Store, opened, stores, with_orders
from bench.results import Row
from bench.scratch import Scratch
from bench.world import ROOT, SITE
from centre.configuration.settings_file import load
from centre.ingest.transaction import store_batch
from centre.link.received import Received
from centre.moments import moment, utc_now
from centre.orders.renewal import renew_messages
from centre.store.database import Database
from centre.web.board.bench_cards import BenchBoard, load_board
from centre.web.board.naming import load_naming
from centre.web.board.page_rendering import Pages
from centre.web.board.viewer import Viewer
from centre.web.scopes import Caller, Scope
from centre.web.services import Services
from harness.centre_process import CentreProcess

__all__ = ["measure"]

KIOSKS = 200
ORDERS = 10_000
AT_MOST = 3.0
_LINK = re.compile(r"/sign-in/(\S+)")


def measure(scratch: Scratch, quick: bool) -> list[Row]:
    rounds, pages, orders = (2, 10, ORDERS // 10) if quick else (7, 20, ORDERS)
    with stores(scratch) as kinds:
        return [_measure(scratch, store, rounds, pages, orders) for store in kinds]


def _measure(scratch: Scratch, store: Store, rounds: int, pages: int, orders: int) -> Row:
    url = store.new(with_orders(orders))
    with opened(url) as database:
        store_batch(database, list(_views()), now=moment(utc_now()), renew=renew_messages)
    ours, reference = [], []
    with (
        running_centre(scratch.folder("first-page"), url) as site,
        _browser(site.centre) as browser,
        opened(url) as database,
    ):
        template = _Template(site, database)
        for number in range(rounds + 1):
            served = [_served(browser) for _ in range(pages)]
            rendered = [template.render() for _ in range(pages)]
            if number:
                ours += served
                reference += rendered
    return Row(
        what=f"first page of the board, {KIOSKS} kiosks, {orders:,} open orders, {store.name}, against its template",
        unit="ms", ours=ours, reference=reference, at_most=AT_MOST,
    )  # fmt: skip


def _views() -> Iterable[Received]:
    """Yield what 200 kiosks say of themselves: half of the benches work on an order."""
    now = moment(utc_now())
    for number in range(KIOSKS):
        status = status_document(
            state="online", reason=None, version="1.0", journal=f"{number:08X}", since=now, connection=1
        )
        works = number % 2 == 0
        view = StationView(
            state=Phase.SCANNING if works else Phase.READY, signed_in=works, operator="E7" if works else None,
            order=order_name(number) if works else None, mode=Flow("used") if works else None, product=None,
            scanned=number % DEVICES if works else None, pending=DEVICES - number % DEVICES if works else None,
            box=BoxView(id=f"b{number}", units=number % DEVICES, size="M", label=None) if works else None,
            last=LastSignal(signal=Signal.OK, reason=None), held=False, time=now, connection=1,
        )  # fmt: skip
        root = f"{ROOT}/agent/dock-{number + 1}"
        yield Received("bench", f"{root}/status", status, False, now)
        yield Received("bench", f"{root}/station/1", encode(view), False, now)


@contextmanager
def _browser(centre: CentreProcess) -> Iterator[httpx.Client]:
    """Give a browser that the centre's first sign-in link has signed in."""
    found = _LINK.search(centre.output())
    if found is None:
        raise RuntimeError("the centre has printed no link to sign in")
    with httpx.Client(base_url=centre.url, timeout=60) as browser:
        browser.get(f"/sign-in/{found[1]}")
        yield browser


def _served(browser: httpx.Client) -> float:
    began = time.monotonic()
    answer = browser.get("/")
    took_ms = (time.monotonic() - began) * 1000
    if answer.status_code != 200 or "dock-200" not in answer.text:
        raise RuntimeError(f"that is not the first page: {answer.status_code} {answer.text[:500]}")
    return took_ms


class _Template:
    """The page's template, with values that were read once."""

    def __init__(self, site: CentreSite, database: Database) -> None:
        settings = load(site.centre.config)
        nothing: Any = None
        self._pages = Pages(
            Services(
                database=database, changes=nothing, settings=settings, ingest=nothing, brokers=list, requests=nothing
            )
        )  # fmt: skip
        self._clock = self._pages.clock()
        self._viewer = Viewer(caller=Caller(actor="user:admin", scope=Scope.ADMIN, key="admin", csrf="0" * 43))
        with database.reading() as connection:
            naming = load_naming(connection, [SITE], with_operators=True)
            self._board: BenchBoard = load_board(
                connection, self._clock, [SITE], naming, offline_s=settings.general.kiosk_offline_s
            )

    def render(self) -> float:
        began = time.monotonic()
        scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
        self._pages.page(Request(scope), self._viewer, "benches", self._clock, page="benches", board=self._board)
        return (time.monotonic() - began) * 1000
