"""The OpenAPI document is complete, and every operation does what it says, whatever is sent to it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from centre.store.database import Database
from centre.store.schema import metadata
from centre.web.app import rest_app
from centre.web.openapi_document import openapi_document
from centre.web.scopes import Scope
from centre.web.throttle import Throttle
from tests.centre.web.conftest import Centre, new_centre
from tests.centre.web.stored_events import store_events, stored_dead_letter
from tests.centre.web.test_orders import manifest

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


EXAMPLES = {"sqlite": 12, "postgresql": 4}


@pytest.fixture(scope="module", params=EXAMPLES)
def database_kind(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


@pytest.fixture(scope="module")
def busy_centre(
    database_kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Centre]:
    """A centre with an order, events and kiosks, in which nobody is slowed down."""
    if database_kind == "sqlite":
        database = Database(f"sqlite:///{tmp_path_factory.mktemp('rest')}/centre.sqlite")
    else:
        database = Database(request.getfixturevalue("postgres").database())
    with database.writing() as connection:
        metadata.create_all(connection)
    # Behind a proxy any host name is right.
    with new_centre(database, behind_proxy=True) as centre:
        centre.app.state.access.requests = Throttle(burst=10**9, interval_s=1e-9, monotonic=centre.clock.monotonic)
        client = centre.client_with_token(Scope.ADMIN)
        assert client.put("/api/v1/orders/SO-1", json=manifest()).status_code == 201
        with database.writing() as connection:
            store_events(connection, 5)
            store_events(connection, 5, site="rtm1", name="dock-2", type="kiosk.box.created.v1")
            stored_dead_letter(connection)
        yield centre
    database.dispose()


@pytest.fixture(scope="module")
def api_schema(busy_centre: Centre) -> Any:
    return schemathesis.openapi.from_asgi("/api/v1/openapi.json", busy_centre.app)


@pytest.fixture(scope="module")
def authorization(busy_centre: Centre) -> dict[str, str]:
    return {"Authorization": f"Bearer {busy_centre.token(Scope.ADMIN)}"}


KNOWN = {"order": "SO-1", "site": "main", "kiosk": "dock-1", "id": 1, "part": "0"}

OPERATIONS = [
    (method, path)
    for path, operations in openapi_document(rest_app())["paths"].items()
    for method in operations
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_operation_keeps_to_its_schema(
    api_schema: Any, database_kind: str, authorization: dict[str, str], method: str, path: str
) -> None:
    operation = api_schema[path][method]
    valid = operation.as_strategy(GenerationMode.POSITIVE)
    # Not every operation can be given something that is not valid.
    any_case = valid | operation.as_strategy(GenerationMode.NEGATIVE) if "{" in path or method != "post" else valid

    @given(case=any_case)
    @settings(
        max_examples=EXAMPLES[database_kind],
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def run(case: Any) -> None:
        case.headers.pop("Authorization", None)
        case.cookies.clear()
        case.validate_response(case.call(headers=authorization), checks=CHECKS)
        if case.path_parameters:
            # The same for something that is there.
            for name in case.path_parameters.keys() & KNOWN.keys():
                case.path_parameters[name] = KNOWN[name]
            case.validate_response(case.call(headers=authorization), checks=CHECKS)

    run()


def test_every_operation_is_described(busy_centre: Centre) -> None:
    document = openapi_document(busy_centre.app)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            assert operation["summary"], where
            assert not operation["summary"].endswith("."), where
            assert len(operation["description"]) > 20, where
            assert operation["tags"], where
            for parameter in operation.get("parameters", []):
                assert parameter.get("description"), f"{where}: {parameter['name']}"
            if path.startswith("/api/"):
                assert operation["security"], where
                assert operation["x-scope"] in list(Scope), where
                for status, response in operation["responses"].items():
                    if int(status) >= 400:
                        assert list(response["content"]) == ["application/problem+json"], f"{where}: {status}"
            if method == "put":
                content = operation["requestBody"]["content"]["application/json"]
                assert content["schema"], where
                assert content["example"], where


def test_every_reference_leads_somewhere(busy_centre: Centre) -> None:
    document = openapi_document(busy_centre.app)
    found = set(re.findall(r"'\$ref': '#/components/schemas/([^']+)'", str(document)))
    assert found <= set(document["components"]["schemas"])
    unused = set(document["components"]["schemas"]) - found
    assert not unused


def test_the_examples_are_accepted(busy_centre: Centre) -> None:
    client = busy_centre.client_with_token(Scope.ADMIN)
    for path, operations in openapi_document(busy_centre.app)["paths"].items():
        if "put" in operations:
            url = path
            for name, value in {**KNOWN, "order": "EXAMPLE"}.items():
                url = url.replace("{" + name + "}", str(value))
            example = operations["put"]["requestBody"]["content"]["application/json"]["example"]
            response = client.put(url, json=example)
            assert response.status_code in (200, 201), (url, response.text)
