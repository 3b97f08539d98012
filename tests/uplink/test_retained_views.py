"""Retained views: only the newest, not too often, behind events, and all again after a connect."""

import math

from agent.uplink.retained_views import RetainedView, RetainedViews
from agent.uplink.uplink_settings import Timing

TIMING = Timing(view_interval_s=0.2, view_patience_s=2.0)


def view(suffix: str, payload: bytes, at: float) -> RetainedView:
    return RetainedView(suffix, payload, None, at)


def test_only_the_newest_state_is_published() -> None:
    """(`mqtt.md#station-view`)"""
    views = RetainedViews(timing=TIMING)
    views.put(view("station/1", b"old", 1.0))
    views.put(view("station/1", b"new", 1.1))
    views.put(view("health", b"{}", 1.1))
    assert [one.payload for one in views.due(2.0, behind_events=False)] == [b"new", b"{}"]


def test_a_published_view_is_not_due() -> None:
    views = RetainedViews(timing=TIMING)
    one = view("health", b"{}", 1.0)
    views.put(one)
    views.published(one, 1.0)
    assert views.due(100.0, behind_events=False) == []
    assert views.deadline(behind_events=False) == math.inf


def test_a_view_is_published_once_per_interval_at_most() -> None:
    """(`mqtt.md#station-view`)"""
    views = RetainedViews(timing=Timing(view_interval_s=0.25))
    published = []
    for tick in range(64):
        now = tick / 64
        views.put(view("station/1", b"%d" % tick, now))
        for one in views.due(now, behind_events=False):
            views.published(one, now)
            published.append(one.payload)
    assert published == [b"0", b"16", b"32", b"48"]


def test_an_early_change_is_due_later() -> None:
    views = RetainedViews(timing=TIMING)
    one = view("station/1", b"1", 1.0)
    views.put(one)
    views.published(one, 1.0)
    views.put(view("station/1", b"2", 1.05))
    assert views.due(1.05, behind_events=False) == []
    assert views.deadline(behind_events=False) == 1.2


def test_views_wait_for_events_but_not_forever() -> None:
    views = RetainedViews(timing=TIMING)
    views.put(view("station/1", b"1", 1.0))
    assert views.due(1.0, behind_events=True) == []
    assert views.deadline(behind_events=True) == 3.0
    assert len(views.due(3.0, behind_events=True)) == 1


def test_everything_is_due_again_after_a_connect() -> None:
    """(`mqtt.md#connection`)"""
    views = RetainedViews(timing=TIMING)
    one = view("health", b"{}", 1.0)
    views.put(one)
    views.published(one, 1.0)
    views.forget_published()
    assert views.due(1.0, behind_events=False) == [one]
