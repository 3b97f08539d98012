"""The figures of `/metrics`, read from the database when they are asked for."""

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from centre.centre_errors import DatabaseDown
from centre.store import dead_letter_rows
from centre.store.summary_rows import Summary, summary
from centre.web.services import Services

__all__ = ["metrics_text"]


def metrics_text(services: Services) -> bytes:
    """Return all figures in Prometheus' text format. While the database is down, those of the database are missing."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    registry.register(_Figures(services))
    return generate_latest(registry)


class _Figures(Collector):
    def __init__(self, services: Services) -> None:
        self._services = services

    def collect(self) -> Iterator[Metric]:
        services = self._services
        try:
            with services.database.reading() as connection:
                found = summary(connection)
                dropped = dead_letter_rows.dropped(connection)
        except DatabaseDown:
            yield _gauge("database_up", "Whether the database answers.", 0)
        else:
            yield _gauge("database_up", "Whether the database answers.", 1)
            yield from _of_database(found, dropped)
        yield _gauge("ingest_ready", "Whether events are being stored.", int(services.ingest.ready))
        connected = {broker.name: int(broker.is_connected) for broker in services.brokers()}
        yield _gauges("broker_connected", "Whether a broker is connected.", "broker", connected)


def _of_database(found: Summary, dropped: int) -> Iterator[Metric]:
    yield _counter("events", "Events ever stored.", found.events)
    yield _gauges("events_unfinished", "Stored events that do not count yet.", "state", found.unfinished)
    yield _gauge("holes", "Ranges of events that kiosks no longer have.", found.holes)
    yield _gauges("orders", "Orders.", "status", found.orders)
    yield _gauge("kiosks", "Kiosks ever heard of.", found.kiosks)
    yield _gauge("conflicts_open", "Conflicts that nobody has looked at.", found.open_conflicts)
    yield _gauge("dead_letters", "Messages that were refused.", found.dead_letters)
    yield _counter("dead_letters_dropped", "Refused messages that were dropped since there were too many.", dropped)


def _counter(name: str, text: str, value: int) -> Metric:
    return CounterMetricFamily(f"kiosk_centre_{name}", text, value=value)


def _gauge(name: str, text: str, value: int) -> Metric:
    return GaugeMetricFamily(f"kiosk_centre_{name}", text, value=value)


def _gauges(name: str, text: str, label: str, values: Mapping[str, int]) -> Metric:
    metric = GaugeMetricFamily(f"kiosk_centre_{name}", text, labels=[label])
    for key, value in values.items():
        metric.add_metric([key], value)
    return metric
