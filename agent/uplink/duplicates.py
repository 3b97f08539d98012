"""Recognise that another client connects with this kiosk's client id. Pure; durations are handed in."""

from agent.uplink.failures import BrokerLost
from agent.uplink.uplink_settings import Timing

__all__ = ["SHORT_SESSIONS", "DuplicateDetector"]

SHORT_SESSIONS = 3
"""An MQTT 3.1.1 broker closes a session that is taken over without a reason. This many short sessions mean that, if
the broker is there again at once after each of them: one that dies and restarts is not."""


class DuplicateDetector:
    """Looks at how connections end and begin. `protocol` is 5 or 311. (`mqtt.md#duplicate-client-id`)"""

    def __init__(self, *, protocol: int, timing: Timing) -> None:
        self._protocol = protocol
        self._timing = timing
        self._short_sessions = 0
        self.is_suspicious = False
        """Whether the last session was short and ended without a reason: connect again at once, to see whether the
        broker is still there."""

    def connection_is_stable(self) -> None:
        """The present connection has lasted a while: there is no other client."""
        self._short_sessions = 0

    def lost(self, error: BrokerLost, *, since_online_s: float) -> bool:
        """Note that a connection was lost, or could not be made; return whether a second client is the reason.

        `since_online_s` is how long the connection lasted; infinity if there was none.
        """
        is_short = error.unexplained and since_online_s < self._timing.stable_s
        # An MQTT 5 broker gives the reason; otherwise short connections mean a bad network.
        self.is_suspicious = self._protocol != 5 and is_short
        if not self.is_suspicious:
            self._short_sessions = 0
        return error.taken_over

    def connected(self) -> bool:
        """Note that the broker has accepted a connection; return whether there is a second client."""
        if not self.is_suspicious:
            return False
        self.is_suspicious = False
        self._short_sessions += 1
        return self._short_sessions >= SHORT_SESSIONS

    def forget(self) -> None:
        """Start again: the kiosk has stayed away for a while."""
        self._short_sessions = 0
        self.is_suspicious = False
