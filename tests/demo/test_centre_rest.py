"""The demo's requests: errors are told in words."""

import pytest

from agent.demo.centre_rest import CentreFailed, CentreRest
from harness.servers import free_port


def test_a_centre_that_is_not_there() -> None:
    with pytest.raises(CentreFailed, match="the demo's centre does not answer"):
        CentreRest(f"http://127.0.0.1:{free_port()}", "token").get("/orders")
