"""Recognise that another client connects with this kiosk's client id. Pure; durations are handed in."""

from agent.uplink.failures import BrokerLost
from agent.uplink.uplink_settings import Timing

__all__ = ["SHORT_SESSIONS", "DuplicateDetector"]

SHORT_SESSIONS = 3
"""An MQTT 3.1.1 broker closes a session that is taken over without a reason. This many short sessions mean that."""


class DuplicateDetector:
    """Looks at how connections end. `protocol` is 5 or 311. (`mqtt.md#duplicate-client-id`)"""

    def __init__(self, *, protocol: int, timing: Timing) -> None:
        self._protocol = protocol
        self._timing = timing
        self._short_sessions = 0

    def connection_is_stable(self) -> None:
        """The present connection has lasted a while: there is no other client."""
        self._short_sessions = 0

    def is_duplicate(self, error: BrokerLost, *, since_online_s: float) -> bool:
        """Return whether a lost connection means a second client, `since_online_s` after the kiosk was last online."""
        if error.taken_over:
            return True
        if self._protocol == 5 or not error.unexplained:
            return False  # an MQTT 5 broker gives the reason; otherwise short connections mean a bad network
        if since_online_s < self._timing.stable_s:
            self._short_sessions += 1
        return self._short_sessions >= SHORT_SESSIONS
