"""The one way in for manifests of the centre's own orders: every source uses `put` or `put_all`.

What becomes of a manifest is decided by `decide`. Here rows are read and written, and the messages to the kiosks are
renewed, in one transaction.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from centre.orders.manifest_check import Document, FieldError, ManifestRefused, checked_manifest
from centre.orders.manifest_decision import KEEP_SITE, GivenManifest, Put, RevisionConflict, decide
from centre.orders.renewal import renew_messages
from centre.store.audit_rows import add_audit
from centre.store.order_event_rows import seen_revisions
from centre.store.order_rows import load_orders, lock_orders, save_orders
from centre.store.site_rows import all_sites

__all__ = ["KEEP_SITE", "GivenManifest", "Put", "RevisionConflict", "put", "put_all"]


def put(
    connection: Connection,
    order: str,
    document: bytes | Document,
    *,
    site: str | None,
    actor: str,
    now: str,
) -> Put:
    """Store a manifest and renew the order's messages. `now` is moment text.

    Raises ManifestRefused or RevisionConflict; then nothing has changed.
    """
    given = GivenManifest(manifest=checked_manifest(order, document), site=site)
    (done,) = put_all(connection, [given], now=now)
    if done.outcome != "unchanged":
        add_audit(connection, now, actor, "order.put", order, {"outcome": done.outcome, "revision": done.revision})
    return done


def put_all(
    connection: Connection, given: Sequence[GivenManifest], *, now: str, keep_higher: bool = False
) -> list[Put]:
    """Store manifests of different orders as `put` does, but for the audit; the results are in the same order.

    With `keep_higher` an order that has a higher revision already is left as it is.
    """
    _check_sites(given, all_sites(connection))
    numbers = iter(lock_orders(connection, len(given)))
    names = [one.manifest.order for one in given]
    known = load_orders(connection, names)
    seen = seen_revisions(connection, [name for name, row in known.items() if row.revision is None])
    results, changed = [], []
    for one in given:
        row = known.get(one.manifest.order)
        try:
            done, new = decide(row, one, seen=seen.get(one.manifest.order, 0), changed=next(numbers), now=now)
        except RevisionConflict as exc:
            if not keep_higher:
                raise
            done, new = Put("unchanged", exc.present), None
        results.append(done)
        if new is not None:
            changed.append(new)
    save_orders(connection, changed)
    renew_messages(connection, [row.name for row in changed], now)
    return results


def _check_sites(given: Sequence[GivenManifest], known: list[str]) -> None:
    for one in given:
        if one.site not in (None, KEEP_SITE) and one.site not in known:
            expected = f"Must be one of {', '.join(known)}"
            raise ManifestRefused(one.manifest.order, [FieldError("site", expected)])
