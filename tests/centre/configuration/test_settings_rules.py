"""The rules that span several keys, and those about files."""

from pathlib import Path

import pytest

from harness.certificates import Authority
from tests.centre.configuration.settings_samples import problems_of, settings_of

KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
HOOK = '[[webhook]]\nurl = "https://oms.example/"\nevents = ["order.packed"]\nsecret_file = "secret"\n'


@pytest.fixture(autouse=True)
def files(tmp_path: Path) -> None:
    for name in ("password", "cert", "key"):
        (tmp_path / name).write_text("hunter2\n")
    (tmp_path / "secret").write_text(KEY + "\n")


def test_a_bind_with_tls(tmp_path: Path) -> None:
    certificates = Authority(tmp_path).issue("web")
    web = f'[web]\nbind = "0.0.0.0"\ntls_cert = "{certificates.cert}"\ntls_key = "{certificates.key}"'
    assert settings_of(tmp_path, web).web.is_secure


@pytest.mark.parametrize(
    "text",
    [
        '[[broker]]\nhost = "b"\nusername = "u"\npassword_file = "password"\ncert_file = "cert"\nkey_file = "key"',
        '[[broker]]\nhost = "b"\n[[broker]]\nhost = "b"\nport = 1',
        '[centre]\nsites = ["a", "b"]\n[[broker]]\nhost = "x"\nsites = ["a"]\n[[broker]]\nhost = "y"\nsites = ["b"]',
        '[database]\nurl = "postgresql+psycopg://me@db/c"\npassword_file = "password"',
        '[web]\nbind = "::"\nbehind_proxy = true',
        '[web]\nbind = "::1"',
        HOOK,
        HOOK.replace("https", "http") + "insecure = true",
    ],
)
def test_what_goes_together(tmp_path: Path, text: str) -> None:
    settings_of(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            '[[broker]]\nhost = "b"\ntls = false\nca_file = "cert"',
            "broker[0].ca_file: found with tls = false, expected only with tls = true",
        ),
        (
            '[[broker]]\nhost = "b"\ncert_file = "cert"',
            "broker[0].key_file: found nothing, expected a file, beside cert_file",
        ),
        (
            '[[broker]]\nhost = "b"\n[[broker]]\nhost = "B"',
            "broker[1]: found the same host and port as in broker[0], expected each broker once",
        ),
        (
            '[centre]\nsites = ["a"]\n[[broker]]\nhost = "x"\nsites = ["a", "c"]',
            'broker[0].sites[1]: found "c", expected one of centre.sites',
        ),
        (
            '[centre]\nsites = ["a", "b"]\n[[broker]]\nhost = "x"\nsites = ["a"]',
            'centre.sites[1]: found "b", expected a site that one of the brokers serves',
        ),
        (
            '[database]\npassword_file = "password"',
            "database.password_file: found with an SQLite database, which has no password; expected only with "
            "PostgreSQL",
        ),
        ('[web]\ntls_key = "key"', "web.tls_cert: found nothing, expected a file, beside tls_key"),
        (
            HOOK.replace('"secret"', '"key"'),
            "webhook[0].secret_file: found something else in the file, expected whsec_ and 24 to 64 bytes in base64",
        ),
        (
            '[web]\ntls_cert = "cert"\ntls_key = "key"',
            "web.tls_cert: found files that cannot be used, expected a PEM certificate and, in tls_key, its key "
            "without a password",
        ),
        (
            '[web]\ntls_key = "/dev/zero"\ntls_cert = "cert"',
            'web.tls_key: found "/dev/zero", expected a readable file (not a regular file)',
        ),
    ],
)
def test_what_does_not(tmp_path: Path, text: str, problem: str) -> None:
    assert problems_of(tmp_path, text) == [problem]


def test_a_password_in_the_place_of_its_file_is_not_shown(tmp_path: Path) -> None:
    (line,) = problems_of(tmp_path, '[[broker]]\nhost = "b"\nusername = "u"\npassword_file = "hunter2-x"')
    assert "hunter2" not in line
