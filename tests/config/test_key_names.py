"""The keys that may stand for GS."""

from evdev import ecodes

from agent.config.key_names import GS_KEYS


def test_the_keys_have_the_names_and_codes_of_the_kernel() -> None:
    assert {name: ecodes.ecodes[name] for name in GS_KEYS} == GS_KEYS
