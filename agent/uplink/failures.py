"""Why the broker cannot be reached, each in one line that a person can act on."""

import socket
import ssl

from agent.errors import KioskError

__all__ = ["BrokerLost", "BrokerRefused", "explain", "shown"]

SESSION_TAKEN_OVER = 0x8E
SHOWN_CHARACTERS = 200


class BrokerLost(KioskError, ConnectionError):
    """There is no connection to the broker, or no longer.

    `code` is the broker's MQTT reason code, if it gave one; `unexplained`: it had accepted us and then closed the
    connection without a word; `stalled`: we left, because it took what we published and never answered.
    """

    def __init__(self, text: str, *, code: int | None = None, unexplained: bool = False, stalled: bool = False) -> None:
        super().__init__(text)
        self.code = code
        self.unexplained = unexplained
        self.stalled = stalled

    @property
    def taken_over(self) -> bool:
        """Another client has connected with our client id."""
        return self.code == SESSION_TAKEN_OVER


class BrokerRefused(BrokerLost):
    """The broker was reached, and refuses us or cannot serve us."""


def shown(text: str) -> str:
    """What a peer sent, fit for a log line: one line, control characters escaped, cut to a length."""
    safe = text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    return safe if len(safe) <= SHOWN_CHARACTERS else safe[:SHOWN_CHARACTERS] + "…"


# X509_V_ERR_* of OpenSSL's x509_vfy.h.
_VERIFY = {
    9: "its certificate is not yet valid; is this machine's clock right?",
    10: "its certificate has expired (or this machine's clock is wrong)",
    18: "its certificate is self-signed; name it in ca_file",
    19: "its certificate comes from an authority that is not known here; set ca_file",
    20: "its certificate comes from an authority that is not known here; set ca_file",
    21: "its certificate comes from an authority that is not known here; set ca_file",
    62: "its certificate is for another host name",
    64: "its certificate is for another address",
}
_TLS = {
    "WRONG_VERSION_NUMBER": "the port does not speak TLS",
    "UNKNOWN_CA": "the broker does not know the authority of our certificate (cert_file)",
    "CERTIFICATE_REQUIRED": "the broker wants a certificate of us; set cert_file and key_file",
    "HANDSHAKE_FAILURE": "no common ground in the TLS handshake (does the broker want a certificate of us?)",
    "CERTIFICATE_EXPIRED": "the broker says that our certificate (cert_file) has expired",
    "BAD_CERTIFICATE": "the broker refuses our certificate (cert_file)",
    "UNSUPPORTED_PROTOCOL": "no common version of TLS",
    "PROTOCOL_VERSION": "no common version of TLS",
    "UNEXPECTED_MESSAGE": "the port does not speak TLS",
    "EOF": "the connection was closed during the TLS handshake (does the broker want another certificate of us?)",
}


def _explain_tls(error: ssl.SSLError | str) -> str:
    text = str(error).upper().replace(" ", "_")
    return next((meaning for mark, meaning in _TLS.items() if mark in text), f"TLS: {shown(str(error))}")


def explain(error: OSError | str) -> str:
    """A failure to connect or of a connection in words; `error` may be the text of one."""
    match error:
        case str():
            return _explain_tls(error) if "SSL" in error.upper() else shown(error)
        case ssl.SSLCertVerificationError():
            return _VERIFY.get(error.verify_code, f"its certificate does not hold: {shown(error.verify_message)}")
        case ssl.SSLError():
            return _explain_tls(error)
        case socket.gaierror():
            return "the name cannot be resolved"
        case TimeoutError():
            return "no answer in time"
        case ConnectionRefusedError():
            return "nothing listens there"
        case _:
            return shown(error.strerror or str(error) or type(error).__name__)
