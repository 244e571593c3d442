import re

import pytest

from mektep_collector.measure.mini import mini_plan
from mektep_collector.measure.request import Request, parse_request
from mektep_collector.measure.web_plan import Answer, Fill, Take


def request(path: str, method: str = "GET", *lines: str) -> Request:
    head = "\r\n".join([f"{method} {path} HTTP/1.1", "Host: here", *lines]) + "\r\n\r\n"
    return parse_request(head.encode())


@pytest.mark.parametrize("path", ["/mini", "/mini/", "/mini/?x=1.2"])
def test_the_page_says_how_uploads_end(path: str) -> None:
    plan = mini_plan(request(path))
    assert isinstance(plan, Answer)
    # the pattern is speedtest-cli's own
    assert re.findall('upload_?[Ee]xtension: "([^"]+)"', plan.body.decode()) == ["php"]


def test_latency_begins_as_the_client_wants_it() -> None:
    plan = mini_plan(request("/mini/speedtest/latency.txt?x=1.0"))
    assert isinstance(plan, Answer)
    assert plan.body[:9] == b"test=test"


@pytest.mark.parametrize("side", [350, 500, 750, 1000, 1500, 2000, 2500, 3000, 3500, 4000])
def test_pictures_have_about_the_size_of_the_originals(side: int) -> None:
    plan = mini_plan(request(f"/mini/speedtest/random{side}x{side}.jpg?x=1.0"))
    assert isinstance(plan, Fill)
    assert plan.size_bytes == 2 * side**2


@pytest.mark.parametrize(
    "name", ["random350x500.jpg", "random99999x99999.jpg", "random0350x0350.jpg", "random.jpg", ""]
)
def test_other_names_are_nothing(name: str) -> None:
    plan = mini_plan(request(f"/mini/speedtest/{name}"))
    assert isinstance(plan, Answer)
    assert plan.status == 404


def test_an_upload_is_told_its_size() -> None:
    plan = mini_plan(request("/mini/speedtest/upload.php", "POST", "Content-Length: 32768"))
    assert isinstance(plan, Take)
    assert (plan.size_bytes, plan.answer.body) == (32_768, b"size=32768\n")
    assert mini_plan(request("/speedtest/upload.php")) is None
