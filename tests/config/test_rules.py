"""Rules that span several keys: files, TLS and the password."""

from pathlib import Path

import pytest

from tests.config.samples import SECRET, problems, read, with_key


def test_load_password_file_without_its_line_end(file: Path) -> None:
    (file.parent / "password").write_text(f"{SECRET}\r\n")
    config = read(file, with_key("mqtt", 'username = "u"\npassword_file = "password"'))
    assert config.mqtt.password is not None
    assert config.mqtt.password.get_secret_value() == SECRET


def test_load_password_from_the_credential(file: Path) -> None:
    """Rule: settings.md#broker."""
    (file.parent / "mqtt-password").write_text(f"{SECRET}\n")
    environ = {"CREDENTIALS_DIRECTORY": str(file.parent)}
    config = read(file, with_key("mqtt", 'username = "u"'), environ)
    assert config.mqtt.password is not None
    assert config.mqtt.password.get_secret_value() == SECRET


def test_load_password_file_goes_before_the_credential(file: Path) -> None:
    (file.parent / "mqtt-password").write_text("other")
    (file.parent / "password").write_text(SECRET)
    environ = {"CREDENTIALS_DIRECTORY": str(file.parent)}
    config = read(file, with_key("mqtt", 'username = "u"\npassword_file = "password"'), environ)
    assert config.mqtt.password is not None
    assert config.mqtt.password.get_secret_value() == SECRET


def test_load_no_credential_means_no_password(file: Path) -> None:
    environ = {"CREDENTIALS_DIRECTORY": str(file.parent)}
    assert read(file, with_key("mqtt", 'username = "u"'), environ).mqtt.password is None


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "mqtt.password_file: expected a password of 1 to 65535 bytes in mqtt.password_file, found an empty one"),
        (
            b"\n",
            "mqtt.password_file: expected a password of 1 to 65535 bytes in mqtt.password_file, found an empty one",
        ),
        (
            b"x" * 65536,
            "mqtt.password_file: expected a password of 1 to 65535 bytes in mqtt.password_file, found a longer text",
        ),
        (b"\xff\xfe", "mqtt.password_file: expected UTF-8 text in mqtt.password_file, found other bytes"),
    ],
)
def test_load_bad_password_file(file: Path, data: bytes, expected: str) -> None:
    (file.parent / "password").write_bytes(data)
    assert problems(file, with_key("mqtt", 'username = "u"\npassword_file = "password"')) == [expected]


def test_load_bad_credential(file: Path) -> None:
    (file.parent / "mqtt-password").mkdir()
    assert problems(file, with_key("mqtt", 'username = "u"'), {"CREDENTIALS_DIRECTORY": str(file.parent)}) == [
        "mqtt.password_file: expected a readable credential mqtt-password: not a regular file"
    ]


def test_load_a_password_needs_a_user_name(file: Path) -> None:
    (file.parent / "password").write_text(SECRET)
    assert problems(file, with_key("mqtt", 'password_file = "password"')) == [
        "mqtt.username: expected the user name that goes with mqtt.password_file, found nothing"
    ]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            'ca_file = "/none/ca.pem"',
            ['mqtt.ca_file: expected a readable file, found "/none/ca.pem": No such file or directory'],
        ),
        ('ca_file = "./"', ['mqtt.ca_file: expected a readable file, found "./": not a regular file']),
        ("ca_file = 5", ["mqtt.ca_file: expected the path of a file, found a value not shown here"]),
        ('ca_file = ""', ["mqtt.ca_file: expected the path of a file, found a value not shown here"]),
        ('cert_file = "./pem"', ["mqtt.key_file: expected the path of the key of mqtt.cert_file, found nothing"]),
        (
            'key_file = "./pem"',
            ["mqtt.cert_file: expected the path of the certificate of mqtt.key_file, found nothing"],
        ),
        (
            'tls = false\nca_file = "./pem"',
            ["mqtt.ca_file: expected only with tls = true, found with tls = false"],
        ),
    ],
)
def test_load_files_of_tls(file: Path, lines: str, expected: list[str]) -> None:
    (file.parent / "pem").write_text("x")
    assert problems(file, with_key("mqtt", lines)) == expected
