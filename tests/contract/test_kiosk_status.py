"""The status message (`mqtt.md#status`)."""

import json

import pytest

from agent.contract.kiosk_status import status_document


def test_every_field_is_written() -> None:
    text = status_document(state="online", reason=None, version="1.0.0", journal="3F0C9A1B", since=None, connection=7)
    assert (
        text == b'{"state":"online","reason":null,"version":"1.0.0","journal":"3F0C9A1B","since":null,"connection":7}'
    )


def test_reason_with_the_name_of_a_file_that_is_not_utf_8_is_written() -> None:
    text = status_document(state="failed", reason="a\udc80é", version="1", journal=None, since=None, connection=7)
    assert json.loads(text)["reason"] == "a\\udc80é"


def test_state_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="asleep"):
        status_document(state="asleep", reason=None, version="1", journal=None, since=None, connection=7)
