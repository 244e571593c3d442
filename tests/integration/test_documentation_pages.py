"""/openapi.json and /docs: complete, true to the wire, and served from this machine alone."""

import json
import re
from collections.abc import Generator
from typing import Any

import pytest

from mektep_wire.schema import components
from tests.support.publish_openapi import FILE, published
from tests.support.running_collector import RunningCollector, running_collector


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningCollector, None, None]:
    with running_collector(tmp_path_factory.mktemp("data"), "--no-measure") as running:
        yield running


@pytest.fixture(scope="module")
def document(collector: RunningCollector) -> dict[str, Any]:
    found: dict[str, Any] = collector.get("/openapi.json").json()
    return found


def test_the_published_document_is_as_the_code_is() -> None:
    assert FILE.read_text("utf-8") == published(), "the interface has changed; if that is meant, run `make schema`"


def test_every_route_says_what_it_takes_and_answers(document: dict[str, Any]) -> None:
    assert set(document["paths"]) == {
        "/v1/enrolments", "/v1/assignment", "/v1/readings", "/v1/leases", "/v1/leases/{lease_id}",
        "/v1/tokens",
        "/health/live", "/health/ready", "/metrics",
    }  # fmt: skip
    for path, methods in document["paths"].items():
        for method, route in methods.items():
            assert route["summary"], path
            assert any(status.startswith("2") for status in route["responses"]), path
            assert ("requestBody" in route) is (method == "post"), path
            if path.startswith("/v1/"):
                problems = [answer for status, answer in route["responses"].items() if status[0] in "45"]
                assert problems
                assert all("application/problem+json" in answer["content"] for answer in problems), path


def test_only_devices_routes_want_a_token(document: dict[str, Any]) -> None:
    secured = {path for path, methods in document["paths"].items() for route in methods.values() if "security" in route}
    assert secured == {"/v1/assignment", "/v1/readings", "/v1/leases", "/v1/leases/{lease_id}", "/v1/tokens"}
    assert document["components"]["securitySchemes"]["deviceToken"]["scheme"] == "bearer"


def test_its_schemas_are_the_wires_and_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    schemas = json.loads(json.dumps(components("#/components/schemas/{name}")))
    assert document["components"]["schemas"] == schemas
    references = re.findall(r"'\$ref': '#/components/schemas/([A-Za-z]+)'", str(document))
    assert set(references) <= set(document["components"]["schemas"])


def test_the_page_takes_everything_from_this_machine(collector: RunningCollector) -> None:
    page = collector.get("/docs")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    named = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert [address for address in named if not address.startswith(("/", "data:,"))] == []
    for address in named:
        if address.startswith("/"):
            assert collector.get(address).status_code == 200, address
    assert "<script>" not in page.text
    assert "<style" not in page.text
    missing = collector.get("/docs/../../pyproject.toml")
    assert missing.status_code == 404
    assert collector.get("/docs/redoc.standalone.js").status_code == 404
