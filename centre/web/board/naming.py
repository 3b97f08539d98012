"""How benches and operators are called on the pages."""

from collections.abc import Collection, Mapping

from msgspec import Struct
from sqlalchemy import Connection

from centre.store.bench_rows import kiosks_with_several_stations, operator_names

__all__ = ["Naming", "load_naming"]


class Naming(Struct, frozen=True, kw_only=True):
    """The names that a page uses."""

    operators: Mapping[tuple[str, str], str] | None = None
    """By site and id. None: no operator is named at all."""
    several_stations: Collection[tuple[str, str]] = ()
    """The kiosks, by site and name, that have more than one station."""
    several_sites: bool = False

    def bench(self, site: str, kiosk: str, station: str | None) -> str:
        """Return the name of a bench: the kiosk's, with site and station where that alone is not clear."""
        parts = [site, kiosk] if self.several_sites else [kiosk]
        if station and (site, kiosk) in self.several_stations:
            parts.append(station)
        return " · ".join(parts)

    def operator(self, site: str, operator: str | None) -> str | None:
        """Return the name of an operator, or the id of one without; None if operators are not named."""
        if operator is None or self.operators is None:
            return None
        return self.operators.get((site, operator), operator)


def load_naming(connection: Connection, sites: Collection[str], *, with_operators: bool) -> Naming:
    """Read the names."""
    return Naming(
        operators=operator_names(connection) if with_operators else None,
        several_stations=kiosks_with_several_stations(connection),
        several_sites=len(sites) > 1,
    )
