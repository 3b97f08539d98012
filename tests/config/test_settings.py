"""The models of the tables: ranges and defaults, and no secret in their texts."""

import json
from pathlib import Path

import pytest

from agent.config import config_hash
from agent.config.settings import ButtonSettings, ConfigTable, NoIndicatorSettings, UplinkSettings, WorkflowSettings
from tests.config.samples import KIOSK, MINIMAL, MQTT, SECRET, STATION, evdev, problems, read, with_key


@pytest.mark.parametrize(("table", "key"), [("kiosk", "site"), ("mqtt", "port"), ("uplink", "confirm")])
def test_config_is_frozen(file: Path, table: str, key: str) -> None:
    config = read(file, MINIMAL)
    with pytest.raises(ValueError, match="frozen"):
        setattr(config, table, getattr(config, table))
    with pytest.raises(ValueError, match="frozen"):
        setattr(getattr(config, table), key, "x")


NUMBERS = [
    ("mqtt", "port", 1, 65535),
    ("mqtt", "keepalive_s", 1, 3600),
    ("uplink", "max_inflight", 1, 65535),
    ("uplink", "ack_timeout_s", 1, 86400),
    ("uplink", "keep_days", 0, 3650),
    ("uplink", "reserve_mb", 0, 65536),
    ("workflow", "idle_sign_out_s", 1, 86400),
    ("workflow", "bounce_ms", 0, 5000),
]


@pytest.mark.parametrize(("table", "key", "low", "high"), NUMBERS)
def test_load_numbers_have_ranges_and_are_never_coerced(file: Path, table: str, key: str, low: int, high: int) -> None:
    for good in (low, high):
        config = read(file, with_key(table, f"{key} = {good}"))
        assert getattr(getattr(config, table), key) == good
    for bad in (str(low - 1), str(high + 1), '"7"', "7.0", "true", "[7]"):
        (line,) = problems(file, with_key(table, f"{key} = {bad}"))
        assert line.startswith(f"{table}.{key}: expected ")
        assert f"from {low} to {high}, found " in line


@pytest.mark.parametrize("baud", ["0", "9600.0", '"9600"', "4000001"])
def test_load_baud_out_of_range(file: Path, baud: str) -> None:
    assert problems(file, MINIMAL + f"baud = {baud}") == [
        f"station[0].scanner[0].baud: expected bits per second, from 50 to 4000000, found {baud}"
    ]


@pytest.mark.parametrize("terminator", ["\r", "\n", "\r\n", "\t"])
def test_load_takes_each_terminator(file: Path, terminator: str) -> None:
    """Rule: settings.md#serial-scanner."""
    (scanner,) = read(file, MINIMAL + f"terminator = {json.dumps(terminator)}").stations[0].scanners
    assert scanner.terminator == terminator


@pytest.mark.parametrize(
    ("keys", "addresses"),
    [
        ('host = "a"\nport = 1883', (("a", 1883),)),
        ('host = "192.0.2.7"', (("192.0.2.7", 8883),)),
        ('host = "2001:db8::1"', (("2001:db8::1", 8883),)),
        ('host = "[2001:db8::1]"', (("2001:db8::1", 8883),)),
        (
            'hosts = ["a:1", "b", "[::1]:2", "[fe80::1%eth0]"]\nport = 3',
            (("a", 1), ("b", 3), ("::1", 2), ("fe80::1%eth0", 3)),
        ),
    ],
)
def test_load_broker_addresses(file: Path, keys: str, addresses: tuple[tuple[str, int], ...]) -> None:
    """Rule: settings.md#broker."""
    assert read(file, KIOSK + f"[mqtt]\n{keys}\n" + STATION).mqtt.addresses == addresses


@pytest.mark.parametrize("model", [UplinkSettings, WorkflowSettings, ButtonSettings, NoIndicatorSettings])
def test_defaults_of_a_table_that_may_be_left_out_would_pass_its_check(model: type[ConfigTable]) -> None:
    defaults = model.model_construct()
    assert model.model_validate(dict(defaults)) == defaults


def test_a_table_left_out_is_as_one_with_nothing_in_it(file: Path) -> None:
    nothing = '\n[station.indicator]\ndriver = "none"\n[station.buttons]\n[uplink]\n[workflow]\n'
    assert read(file, MINIMAL + nothing) == read(file, MINIMAL)


def test_password_is_in_no_text_of_the_configuration(file: Path) -> None:
    (file.parent / "password").write_text(SECRET)
    text = with_key("mqtt", 'username = "u"\npassword_file = "password"')
    config = read(file, text)
    dumped = f"{config!r} {config} {config.mqtt!r} {config.mqtt.password!r} {config.mqtt.model_dump_json()}"
    assert SECRET not in dumped

    with_one = config_hash(config)
    (file.parent / "password").write_text("another")
    assert config_hash(read(file, text)) == with_one


# -- how a scanner writes what it has read: encoding, GS, no-read texts ----------------------------------------------

WEDGE = KIOSK + MQTT + '\n[[station]]\nid = "1"\n' + evdev('usb_port = "usb-1.4"')


@pytest.mark.parametrize("text", [MINIMAL, WEDGE])
def test_how_a_scanner_writes_by_default(file: Path, text: str) -> None:
    """`settings.md#encoding-gs-and-no-read-texts`, `scanning.md#no-read-texts`"""
    (scanner,) = read(file, text).stations[0].scanners
    assert (scanner.encoding, scanner.gs) == ("utf-8", None)
    assert scanner.no_read == ("NOREAD", "NO READ", "ERROR", "NR")


@pytest.mark.parametrize("text", [MINIMAL, WEDGE])
@pytest.mark.parametrize("gs", ["|", "^]", "~", "<GS>", "\t", "è", "\x1d"])
def test_gs_may_be_a_text(file: Path, text: str, gs: str) -> None:
    """`settings.md#encoding-gs-and-no-read-texts`"""
    (scanner,) = read(file, text + f"gs = {json.dumps(gs)}\n").stations[0].scanners
    assert scanner.gs == gs


@pytest.mark.parametrize("gs", ["KEY_DOWN", "KEY_F8", "KEY_F24", "KEY_TAB", "KEY_BACKSLASH"])
def test_gs_of_a_keyboard_may_be_a_key(file: Path, gs: str) -> None:
    """`settings.md#encoding-gs-and-no-read-texts`"""
    (scanner,) = read(file, WEDGE + f'gs = "{gs}"\n').stations[0].scanners
    assert scanner.gs == gs


@pytest.mark.parametrize(
    "gs", ['""', '"A"', '"GS"', '"12"', r'"\r"', r'"\n"', r'"\u0000"', '"|||||||||||||||||"', "29"]
)
@pytest.mark.parametrize("text", [MINIMAL, WEDGE])
def test_what_cannot_stand_for_gs_is_refused(file: Path, text: str, gs: str) -> None:
    (line,) = problems(file, text + f"gs = {gs}\n")
    assert "not all of them letters and digits, no line end, found " in line


@pytest.mark.parametrize("gs", ["KEY_ENTER", "KEY_LEFTSHIFT", "KEY_CAPSLOCK", "KEY_NONE", "KEY_down"])
def test_keys_with_a_meaning_of_their_own_are_refused(file: Path, gs: str) -> None:
    (line,) = problems(file, WEDGE + f'gs = "{gs}"\n')
    assert line.startswith("station[0].scanner[0].gs: expected the name of a key")


def test_a_serial_line_has_no_keys(file: Path) -> None:
    assert len(problems(file, MINIMAL + 'gs = "KEY_DOWN"\n')) == 1


@pytest.mark.parametrize(("text", "gs"), [(MINIMAL, r"\t"), (WEDGE, r"\t"), (WEDGE, "KEY_TAB")])
def test_gs_is_no_terminator(file: Path, text: str, gs: str) -> None:
    """`settings.md#encoding-gs-and-no-read-texts`"""
    (line,) = problems(file, text + f'terminator = "\\t"\ngs = "{gs}"\n')
    assert line.startswith("station[0].scanner[0].gs: expected something else than the terminator, Tab, found ")


@pytest.mark.parametrize("value", ['["BAD READ", "??"]', "[]", '["é"]'])
def test_no_read_texts(file: Path, value: str) -> None:
    """`scanning.md#no-read-texts`"""
    (scanner,) = read(file, MINIMAL + f"no_read = {value}\n").stations[0].scanners
    assert scanner.no_read == tuple(json.loads(value))


@pytest.mark.parametrize("line", ['no_read = "NR"', 'no_read = [""]', "no_read = [1]", 'encoding = "ascii"'])
def test_other_values_are_refused(file: Path, line: str) -> None:
    assert len(problems(file, MINIMAL + line + "\n")) == 1
