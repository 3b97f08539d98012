"""Reading the file (`settings.md#configuration-file`): defaults, each kind of error, all errors at once."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.config import config_hash, load, salvage
from agent.config.settings import (
    ConsoleSettings,
    EvdevSettings,
    GpioSettings,
    JsonlSettings,
    NoIndicatorSettings,
    SerialSettings,
)
from agent.contract.manifest import Role
from agent.errors import ConfigError
from tests.config.samples import GPIO, KIOSK, MINIMAL, MQTT, SCANNER, STATION, evdev, problems, read, with_key

# -- what is accepted --------------------------------------------------------------------------------------------


def test_load_minimal_has_the_defaults_of_the_contract(file: Path) -> None:
    """`settings.md#kiosk`, `settings.md#broker`, `settings.md#uplink`, `settings.md#workflow-rules`"""
    config = read(file, MINIMAL)

    assert (config.kiosk.site, config.kiosk.id, config.kiosk.state_dir) == (
        "rtm1",
        "dock-3",
        Path("/var/lib/kiosk-agent"),
    )
    assert config.mqtt.addresses == (("broker.example", 8883),)
    assert (config.mqtt.protocol, config.mqtt.tls, config.mqtt.keepalive_s) == (5, True, 30)
    assert (config.mqtt.username, config.mqtt.password, config.mqtt.ca_file) == (None, None, None)
    uplink = config.uplink
    assert (uplink.confirm, uplink.max_inflight, uplink.ack_timeout_s) == ("consumer", 100, 60)
    assert (uplink.keep_days, uplink.reserve_mb) == (14, 16)
    assert config.workflow.required_roles == (Role.PICKING, Role.PACKING, Role.SHIPPING)
    assert (config.workflow.packer_confirms, config.workflow.idle_sign_out_s, config.workflow.bounce_ms) == (
        True,
        600,
        500,
    )
    (station,) = config.stations
    assert (station.id, station.indicator, station.buttons) == ("1", NoIndicatorSettings(), {})
    (scanner,) = station.scanners
    assert scanner == SerialSettings(name="left", driver="serial", port="/dev/ttyACM0", baud=9600, terminator="\r")


def test_load_stations_have_each_their_own_scanners_lights_and_buttons(file: Path) -> None:
    """`settings.md#serial-scanner`, `settings.md#keyboard-scanner`, `settings.md#indicator`, `settings.md#buttons`"""
    second = (
        '\n[[station]]\nid = "2"\n'
        + evdev('device = "/dev/input/by-id/a-event-kbd"\nlayout = "fr"\nterminator = "\\t"', "left")
        + evdev('vendor = "0c2e"\nproduct = 0x0B61\nserial = "X1"')
        + evdev('usb_port = "usb-1.4"', "third")
        + '\n[station.indicator]\ndriver = "jsonl"\npath = "/run/signals"\n'
        + "\n[station.buttons]\nwhere = 4\n"
    )
    config = read(file, MINIMAL + GPIO + "\n[station.buttons]\nsave = 23\nundo = 24\n" + second)

    one, two = config.stations
    assert one.indicator == GpioSettings(driver="gpio", red=17, green=27, blue=22, buzzer=18, bar=(5, 6, 13))
    assert one.buttons == {"save": 23, "undo": 24}
    assert two.indicator == JsonlSettings.model_validate({"driver": "jsonl", "path": "/run/signals"}, context="/")
    assert two.buttons == {"where": 4}
    by_path, by_model, by_port = two.scanners
    assert isinstance(by_path, EvdevSettings)
    assert (by_path.device, by_path.layout, by_path.terminator) == ("/dev/input/by-id/a-event-kbd", "fr", "\t")
    assert isinstance(by_model, EvdevSettings)
    assert (by_model.vendor, by_model.product, by_model.serial) == (0x0C2E, 0x0B61, "X1")
    assert isinstance(by_port, EvdevSettings)
    assert by_port.usb_port == "usb-1.4"


def test_load_relative_paths_count_from_the_file(file: Path) -> None:
    (file.parent / "ca.pem").write_text("x")
    text = MINIMAL.replace('"/var/lib/kiosk-agent"', '"state"').replace("[mqtt]", '[mqtt]\nca_file = "ca.pem"')
    config = read(file, text)
    assert config.kiosk.state_dir == file.parent / "state"
    assert config.mqtt.ca_file == file.parent / "ca.pem"


def test_load_a_byte_order_mark_is_no_error(file: Path) -> None:
    file.write_text("\ufeff" + MINIMAL, "utf-8")
    assert load(file, environ={}).kiosk.site == "rtm1"


def test_load_no_role_may_be_required(file: Path) -> None:
    assert read(file, MINIMAL + "[workflow]\nrequired_roles = []\n").workflow.required_roles == ()


# -- the file itself ---------------------------------------------------------------------------------------------


def test_load_missing_file(file: Path) -> None:
    with pytest.raises(ConfigError, match=r"expected a configuration file.*agent\.toml.*No such file"):
        load(file)


def test_load_unreadable_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Is a directory"):
        load(tmp_path)


def test_load_not_utf8_names_the_line(file: Path) -> None:
    file.write_bytes(b'[kiosk]\nsite = "\xff"\n')
    with pytest.raises(ConfigError, match="expected UTF-8 text, found the byte 0xff in line 2"):
        load(file)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("[kiosk]\nsite = \n", "at line 2, column 8"),
        ('[kiosk]\nid = "a"\nid = "b"\n', "at line 3"),
        ("[kiosk\n", "at line 1, column 7"),
        ("a = " + "[" * 5000, "nested too deep|at end"),
    ],
)
def test_load_bad_toml_names_line_and_column(file: Path, text: str, where: str) -> None:
    file.write_text(text)
    with pytest.raises(ConfigError, match=f"expected TOML, found .*({where})") as refused:
        load(file)
    assert len(refused.value.problems) == 1


def test_load_a_file_of_a_megabyte_is_refused(file: Path) -> None:
    file.write_bytes(b"#" * (1 << 20) + b"\n")
    with pytest.raises(ConfigError, match="at most 1048576 bytes"):
        load(file)


@given(junk=st.binary(max_size=200))
def test_load_any_bytes_are_a_configuration_or_refused(tmp_path_factory: pytest.TempPathFactory, junk: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "junk.toml"
    file.write_bytes(MINIMAL.encode() + junk)
    refusal: list[str] | None = None
    try:
        load(file, environ={})
    except ConfigError as refused:
        refusal = refused.problems
    assert refusal is None or (refusal != [] and all(line.isprintable() for line in refusal))


# -- single errors -----------------------------------------------------------------------------------------------

ID = "expected 1 to 64 letters, digits, - and _, found "
PIN = "expected a BCM pin number from 0 to 27, found "
PATH = "expected an absolute path under which the device appears, found "
NAMING = "expected one of device, vendor with product, and usb_port, found "


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # required
        (KIOSK.replace('site = "rtm1"', "") + MQTT + STATION, f"kiosk.site: {ID}nothing"),
        (KIOSK.replace('id = "dock-3"', "") + MQTT + STATION, f"kiosk.id: {ID}nothing"),
        (
            KIOSK.replace("state_dir", "#") + MQTT + STATION,
            "kiosk.state_dir: expected the path of a folder, found nothing",
        ),
        (
            KIOSK + "[mqtt]\n" + STATION,
            'mqtt.host: expected the broker\'s host name or address (or hosts = ["host:port", …]), found nothing',
        ),
        (KIOSK + MQTT, "station: expected at least one [[station]] table, found nothing"),
        (
            KIOSK + MQTT + '[[station]]\nid = "1"\n',
            "station[0].scanner: expected at least one [[station.scanner]] table, found nothing",
        ),
        (KIOSK + MQTT + "[[station]]\n" + SCANNER, f"station[0].id: {ID}nothing"),
        (MINIMAL.replace('name = "left"', ""), f"station[0].scanner[0].name: {ID}nothing"),
        (
            MINIMAL.replace('driver = "serial"', ""),
            'station[0].scanner[0].driver: expected "serial" or "evdev", found nothing',
        ),
        (MINIMAL.replace("port = ", "#"), f"station[0].scanner[0].port: {PATH}nothing"),
        (MINIMAL + GPIO.replace("buzzer = 18", ""), f"station[0].indicator.buzzer: {PIN}nothing"),
        (
            MINIMAL + '[station.indicator]\ndriver = "jsonl"',
            "station[0].indicator.path: expected the path of a file or FIFO, found nothing",
        ),
        (
            MINIMAL + "[station.indicator]\n",
            'station[0].indicator.driver: expected "gpio", "console", "jsonl" or "none", found nothing',
        ),
        # tables
        ("kiosk = 5\n" + MQTT + STATION, "kiosk: expected a table, found 5"),
        (KIOSK + "[[mqtt]]\n" + STATION, "mqtt: expected a table, found a list"),
        (KIOSK + MQTT + "[station]\n", "station: expected at least one [[station]] table, found a table"),
        ("station = [1]\n" + KIOSK + MQTT, "station[0]: expected a table, found 1"),
        (
            KIOSK + MQTT + '[[station]]\nid = "1"\nscanner = ["x"]\n',
            'station[0].scanner[0]: expected a table, found "x"',
        ),
        (
            KIOSK + MQTT + '[[station]]\nid = "1"\n[station.scanner]\nname = "left"\n',
            "station[0].scanner: expected at least one [[station.scanner]] table, found a table",
        ),
        (
            KIOSK + MQTT + '[[station]]\nid = "1"\nindicator = "console"\n' + SCANNER,
            'station[0].indicator: expected a table, found "console"',
        ),
        # ids
        (MINIMAL.replace("rtm1", "rtm 1"), f'kiosk.site: {ID}"rtm 1"'),
        (MINIMAL.replace("rtm1", ""), f'kiosk.site: {ID}""'),
        (MINIMAL.replace("rtm1", "é"), f'kiosk.site: {ID}"é"'),
        (MINIMAL.replace("rtm1", r"r\n"), rf'kiosk.site: {ID}"r\n"'),
        (MINIMAL.replace("rtm1", r"r\u001b[2J"), rf'kiosk.site: {ID}"r\x1b[2J"'),
        (MINIMAL.replace("dock-3", "d" * 65), f'kiosk.id: {ID}"{"d" * 65}"'),
        (MINIMAL.replace('"dock-3"', "3"), f"kiosk.id: {ID}3"),
        (MINIMAL.replace('id = "1"', "id = 1"), f"station[0].id: {ID}1"),
        (MINIMAL.replace('"left"', '"left hand"'), f'station[0].scanner[0].name: {ID}"left hand"'),
        (
            MINIMAL + STATION.replace("ACM0", "ACM1"),
            "station[1].id: expected an id of its own, found the same as in station[0].id",
        ),
        (
            MINIMAL + SCANNER.replace("ACM0", "ACM1"),
            "station[0].scanner[1].name: expected a name of its own, found the same as in station[0].scanner[0].name",
        ),
        # the broker
        (
            MINIMAL.replace('host = "broker.example"', 'host = "b"\nhosts = ["b:1"]'),
            "mqtt.hosts: expected either host or hosts, found both",
        ),
        (
            MINIMAL.replace("broker.example", "b:1"),
            'mqtt.host: expected a host name or address without a port, found "b:1"',
        ),
        (
            MINIMAL.replace("broker.example", "mqtts://b"),
            'mqtt.host: expected a host name or address without a port, found "mqtts://b"',
        ),
        (
            MINIMAL.replace("broker.example", "1:2:zz::"),
            'mqtt.host: expected a host name or address without a port, found "1:2:zz::"',
        ),
        (
            MINIMAL.replace('host = "broker.example"', "hosts = []"),
            'mqtt.hosts: expected a list of "host:port", IPv6 addresses in brackets, found an empty list',
        ),
        (
            MINIMAL.replace('host = "broker.example"', 'hosts = ["a:1", "::1:2"]'),
            'mqtt.hosts[1]: expected a list of "host:port", IPv6 addresses in brackets, found "::1:2"',
        ),
        (
            MINIMAL.replace('host = "broker.example"', 'hosts = ["a:70000"]'),
            'mqtt.hosts[0]: expected a list of "host:port", IPv6 addresses in brackets, found "a:70000"',
        ),
        (
            KIOSK + MQTT + "protocol = 311\n" + '[uplink]\nconfirm = "broker"\n' + STATION,
            'uplink.confirm: expected "consumer" with mqtt.protocol = 311, found "broker": '
            "in MQTT 3.1.1 the broker does not say whether anybody received the event",
        ),
        (KIOSK + MQTT + "protocol = 4\n" + STATION, "mqtt.protocol: expected 5 or 311, found 4"),
        (KIOSK + MQTT + 'tls = "yes"\n' + STATION, 'mqtt.tls: expected true or false, found "yes"'),
        (
            KIOSK + MQTT + 'username = ""\n' + STATION,
            'mqtt.username: expected 1 to 256 characters, none of them a control character, found ""',
        ),
        # the workflow
        (
            MINIMAL + '[workflow]\nrequired_roles = ["picking", "boss"]',
            'workflow.required_roles[1]: expected a list of "picking", "packing", "shipping", each once at most, '
            'found "boss"',
        ),
        (
            MINIMAL + '[workflow]\nrequired_roles = ["picking", "picking"]',
            'workflow.required_roles: expected a list of "picking", "packing", "shipping", each once at most, '
            "found a list",
        ),
        # scanners
        (
            MINIMAL.replace('"serial"', '"usb"'),
            'station[0].scanner[0].driver: expected "serial" or "evdev", found "usb"',
        ),
        (MINIMAL.replace("/dev/ttyACM0", "ttyACM0"), f'station[0].scanner[0].port: {PATH}"ttyACM0"'),
        (MINIMAL.replace("ttyACM0", r"\u0000"), rf'station[0].scanner[0].port: {PATH}"/dev/\x00"'),
        (
            MINIMAL + 'terminator = "x"',
            r'station[0].scanner[0].terminator: expected "\r", "\n", "\r\n" or "\t", found "x"',
        ),
        (MINIMAL + evdev(""), f"station[0].scanner[1]: {NAMING}none of them"),
        (
            MINIMAL + evdev('device = "/dev/a"\nusb_port = "1-1"'),
            f"station[0].scanner[1]: {NAMING}device and usb_port",
        ),
        (
            MINIMAL + evdev('vendor = "0c2e"'),
            "station[0].scanner[1].product: expected the USB product number, beside vendor, found nothing",
        ),
        (
            MINIMAL + evdev('vendor = "0c2e"\nproduct = "scanner"'),
            "station[0].scanner[1].product: "
            'expected four hex digits as lsusb shows them, such as "0c2e", found "scanner"',
        ),
        (
            MINIMAL + evdev("usb_port = 1"),
            "station[0].scanner[1].usb_port: expected the USB port as `kiosk-agent scanners` shows it, found 1",
        ),
        (
            MINIMAL + evdev('device = "/dev/a"\nlayout = "es"'),
            'station[0].scanner[1].layout: expected "us", "de", "fr" or "uk", found "es"',
        ),
        # the same device twice
        (
            MINIMAL + STATION.replace('"1"', '"2"').replace("/dev/ttyACM0", "/dev//ttyACM0"),
            "station[1].scanner[0].port: expected a device of its own, found the same as in station[0].scanner[0].port",
        ),
        (
            MINIMAL + evdev('usb_port = "1-1"') + evdev('usb_port = "1-1"', "third"),
            "station[0].scanner[2].usb_port: "
            "expected a device of its own, found the same as in station[0].scanner[1].usb_port",
        ),
        (
            MINIMAL + evdev('vendor = 1\nproduct = 2\nserial = "A"') + evdev('vendor = "1"\nproduct = "2"', "third"),
            "station[0].scanner[2].product: "
            "expected a device of its own, found the same as in station[0].scanner[1].product",
        ),
        # pins
        (MINIMAL + GPIO.replace("17", "28"), f"station[0].indicator.red: {PIN}28"),
        (MINIMAL + GPIO.replace("17", "true"), f"station[0].indicator.red: {PIN}true"),
        (
            MINIMAL + GPIO.replace("[5, 6, 13]", "[5, -1]"),
            "station[0].indicator.bar[1]: expected a list of BCM pin numbers from 0 to 27, found -1",
        ),
        (
            MINIMAL + GPIO.replace("[5, 6, 13]", "[5, 5]"),
            "station[0].indicator.bar[1]: expected a pin of its own, found the same as in station[0].indicator.bar[0]",
        ),
        (
            MINIMAL + GPIO + "[station.buttons]\nsave = 22\n",
            "station[0].buttons.save: expected a pin of its own, found the same as in station[0].indicator.blue",
        ),
        (
            MINIMAL + GPIO + STATION.replace('"1"', '"2"').replace("ACM0", "ACM1") + "[station.buttons]\nundo = 17\n",
            "station[1].buttons.undo: expected a pin of its own, found the same as in station[0].indicator.red",
        ),
        (MINIMAL + '[station.buttons]\nsave = "23"\n', f'station[0].buttons.save: {PIN}"23"'),
    ],
)
def test_load_one_error_gives_one_line(file: Path, text: str, expected: str) -> None:
    """`settings.md#configuration-file`"""
    assert problems(file, text) == [expected]


# -- unknown keys ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (MINIMAL + "[worklow]\nx = 1", 'worklow: unknown key; did you mean "workflow"?'),
        (with_key("mqtt", 'hots = ["a"]'), 'mqtt.hots: unknown key; did you mean "hosts"?'),
        (with_key("mqtt", 'user = "x"'), 'mqtt.user: unknown key; did you mean "username"?'),
        (with_key("uplink", "maxinflight = 5"), 'uplink.maxinflight: unknown key; did you mean "max_inflight"?'),
        (with_key("workflow", "BOUNCE_MS = 5"), 'workflow.BOUNCE_MS: unknown key; did you mean "bounce_ms"?'),
        (with_key("mqtt", "keep_days = 5"), "mqtt.keep_days: unknown key; it belongs to [uplink]"),
        (
            MINIMAL.replace('id = "1"', 'id = "1"\nred = 3'),
            "station[0].red: unknown key; it belongs to [station.indicator]",
        ),
        (MINIMAL + "bauds = 9600", 'station[0].scanner[0].bauds: unknown key; did you mean "baud"?'),
        (MINIMAL + 'layout = "us"', 'station[0].scanner[0].layout: unknown key; it belongs to driver = "evdev"'),
        (
            MINIMAL + '[station.indicator]\ndriver = "console"\npath = "x"',
            'station[0].indicator.path: unknown key; it belongs to driver = "jsonl"',
        ),
        (MINIMAL + "[station.buttons]\nsafe = 3", 'station[0].buttons.safe: unknown key; did you mean "save"?'),
        (with_key("mqtt", '"a b\\u001b" = 1'), None),
    ],
)
def test_load_unknown_key_names_the_nearest(file: Path, text: str, expected: str | None) -> None:
    """`settings.md#configuration-file`"""
    (line,) = problems(file, text)
    if expected is None:
        assert line.startswith(r'mqtt."a b\x1b": unknown key; known here: ca_file, cert_file, host')
    else:
        assert line == expected


def test_load_wrong_driver_still_tells_unknown_keys(file: Path) -> None:
    assert problems(file, MINIMAL.replace('"serial"', '"seral"') + "buad = 1") == [
        'station[0].scanner[0].driver: expected "serial" or "evdev", found "seral"',
        'station[0].scanner[0].buad: unknown key; did you mean "baud"?',
    ]


# -- all at once -------------------------------------------------------------------------------------------------


def test_load_reports_everything_at_once(file: Path) -> None:
    """`settings.md#configuration-file`"""
    text = """
    colour = 1
    [kiosk]
    site = "rtm 1"
    [mqtt]
    port = 0
    protocol = 311
    ca_file = "missing.pem"
    [uplink]
    confirm = "broker"
    keep_day = 1
    [workflow]
    bounce_ms = -1
    [[station]]
    id = "1"
    [[station.scanner]]
    name = "left"
    driver = "serial"
    port = "/dev/a"
    baud = "fast"
    [[station.scanner]]
    name = "left"
    driver = "evdev"
    device = "/dev/a"
    [station.indicator]
    driver = "gpio"
    red = 1
    green = 1
    blue = 99
    buzzer = 3
    [station.buttons]
    save = 1
    [[station]]
    id = "1"
    """
    assert [line.split(": ")[0] for line in problems(file, text)] == [
        "colour",
        "kiosk.site",
        "kiosk.id",
        "kiosk.state_dir",
        "mqtt.port",
        "mqtt.host",
        "mqtt.ca_file",
        "uplink.keep_day",
        "uplink.confirm",
        "workflow.bounce_ms",
        "station[0].scanner[0].baud",
        "station[0].indicator.blue",
        "station[1].scanner",
        "station[1].id",
        "station[0].scanner[1].name",
        "station[0].scanner[1].device",
        "station[0].indicator.green",
        "station[0].buttons.save",
    ]


# -- the fingerprint ---------------------------------------------------------------------------------------------


def test_config_hash_tells_settings_not_spelling(file: Path) -> None:
    usual = config_hash(read(file, MINIMAL))
    spelled_out = "# a comment\n" + MQTT + KIOSK + STATION + "baud = 9600\n[uplink]\nkeep_days = 14\n"
    assert config_hash(read(file, spelled_out)) == usual
    assert len(usual) == 12
    assert set(usual) <= set("0123456789abcdef")


@pytest.mark.parametrize(
    "text",
    [
        MINIMAL.replace("rtm1", "rtm2"),
        MINIMAL.replace("broker.example", "broker"),
        MINIMAL + "baud = 19200",
        MINIMAL + GPIO,
        MINIMAL + "[station.buttons]\nsave = 3",
        MINIMAL + "[workflow]\nbounce_ms = 400",
        MINIMAL + '[uplink]\nconfirm = "broker"',
    ],
)
def test_config_hash_differs_with_every_setting(file: Path, text: str) -> None:
    usual = config_hash(read(file, MINIMAL))
    assert config_hash(read(file, text)) != usual


# -- what can be saved of a refused one --------------------------------------------------------------------------


def test_salvage_keeps_what_is_sound(file: Path) -> None:
    text = MINIMAL + '[station.indicator]\ndriver = "console"\n[workflow]\nbounce_ms = -1\n[[station]]\nid = "2 b"\n'
    file.write_text(text)
    saved = salvage(file, environ={})
    assert saved.kiosk is not None
    assert saved.kiosk.id == "dock-3"
    assert saved.mqtt is not None
    assert saved.mqtt.addresses == (("broker.example", 8883),)
    assert saved.indicators == (("1", ConsoleSettings(driver="console")),)


@pytest.mark.parametrize("text", ["", "[kiosk", "[mqtt]\nhost = 5\n[kiosk]\nid = 3\nstation = 4"])
def test_salvage_of_what_is_not_sound_is_nothing(file: Path, text: str) -> None:
    file.write_text(text)
    saved = salvage(file, environ={})
    assert (saved.kiosk, saved.mqtt, saved.indicators) == (None, None, ())
