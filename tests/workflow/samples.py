"""Benches at work, for tests of several modules."""

from tests.workflow.bench import Bench, imei, line

__all__ = ["worked"]


def worked() -> Bench:
    """Return a bench with all kinds of boxes, roles, a hold, a pending step, a packed order and a second journal."""
    bench = Bench()
    bench.order("SO-1", line("1", "P13", 2, units=[[imei(1), "serial-A"]], tacs=["35000000"]))
    bench.order("SO-2", line("1", "P13", 1))
    bench.opened("SO-2")
    bench.scan(imei(9))
    bench.save()
    bench.do("PACK")
    bench.do("CONFIRM")
    bench.opened("SO-1")
    bench.do("ROLE", "PACK")
    bench.scan("CARD-8")
    bench.scan(imei(1))
    bench.do("SAVE")
    bench.scan("106141412345678908")
    bench.do("SAVE")
    bench.start_over("AAAAAAAA")
    bench.scan(imei(2))
    bench.verdict("hold", "SO-1", imei(2))
    bench.do("REMOVE")
    bench.scan(imei(2))
    bench.verdict("hold", "SO-1", imei(1), id="v2")
    bench.do("QTY", "3")
    return bench
