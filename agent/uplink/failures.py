"""Why the broker cannot be reached, as one line that says what to do."""

import socket
import ssl

from agent.errors import KioskError

__all__ = ["BrokerLost", "BrokerRefused", "explain", "shown"]

SESSION_TAKEN_OVER = 0x8E
SHOWN_CHARACTERS = 200


class BrokerLost(KioskError, ConnectionError):
    """There is no connection to the broker.

    `code` is the MQTT reason code that the broker gave, if any. `unexplained`: the broker had accepted the connection
    and closed it without giving a reason. `stalled`: this kiosk closed it, because the broker did not answer.
    """

    def __init__(self, text: str, *, code: int | None = None, unexplained: bool = False, stalled: bool = False) -> None:
        super().__init__(text)
        self.code = code
        self.unexplained = unexplained
        self.stalled = stalled

    @property
    def taken_over(self) -> bool:
        """Whether another client has connected with this kiosk's client id. (`mqtt.md#duplicate-client-id`)"""
        return self.code == SESSION_TAKEN_OVER


class BrokerRefused(BrokerLost):
    """The broker was reached, but refuses the connection or lacks a feature that is needed."""


def shown(text: str) -> str:
    """Make text from a peer fit for one log line: escape control characters and cut it to a length."""
    safe = text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    return safe if len(safe) <= SHOWN_CHARACTERS else safe[:SHOWN_CHARACTERS] + "…"


# X509_V_ERR_* of OpenSSL's x509_vfy.h.
_VERIFY = {
    9: "its certificate is not yet valid; is this machine's clock right?",
    10: "its certificate has expired (or this machine's clock is wrong)",
    18: "its certificate is self-signed; set ca_file to it",
    19: "its certificate was issued by an authority that is not trusted here; set ca_file",
    20: "its certificate was issued by an authority that is not trusted here; set ca_file",
    21: "its certificate was issued by an authority that is not trusted here; set ca_file",
    62: "its certificate is for another host name",
    64: "its certificate is for another address",
}
_TLS = {
    "WRONG_VERSION_NUMBER": "the port does not speak TLS",
    "UNKNOWN_CA": "the broker does not trust the authority that issued our certificate (cert_file)",
    "CERTIFICATE_REQUIRED": "the broker requires a client certificate; set cert_file and key_file",
    "HANDSHAKE_FAILURE": "the TLS handshake failed; does the broker require a client certificate (cert_file)?",
    "CERTIFICATE_EXPIRED": "the broker says that our certificate (cert_file) has expired",
    "BAD_CERTIFICATE": "the broker refuses our certificate (cert_file)",
    "UNSUPPORTED_PROTOCOL": "the broker does not support TLS 1.2 or newer",
    "PROTOCOL_VERSION": "the broker does not support TLS 1.2 or newer",
    "UNEXPECTED_MESSAGE": "the port does not speak TLS",
    "EOF": "the connection was closed during the TLS handshake; does the broker require another client certificate?",
}


def _explain_tls(error: ssl.SSLError | str) -> str:
    text = str(error).upper().replace(" ", "_")
    return next((meaning for mark, meaning in _TLS.items() if mark in text), f"TLS: {shown(str(error))}")


def explain(error: OSError | str) -> str:
    """Explain why a connection failed or was lost. `error` may be the text of an error."""
    match error:
        case str():
            return _explain_tls(error) if "SSL" in error.upper() else shown(error)
        case ssl.SSLCertVerificationError():
            return _VERIFY.get(error.verify_code, f"its certificate cannot be verified: {shown(error.verify_message)}")
        case ssl.SSLError():
            return _explain_tls(error)
        case socket.gaierror():
            return "the host name cannot be resolved; check it and the DNS server"
        case TimeoutError():
            return "no answer in time; check the network and the firewall"
        case ConnectionRefusedError():
            return "nothing listens there; check the port and that the broker runs"
        case _:
            return shown(error.strerror or str(error) or type(error).__name__)
