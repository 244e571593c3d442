import msgspec
import pytest

from mektep_collector.measure.librespeed import PIECE_BYTES, librespeed_plan
from mektep_collector.measure.request import Request, parse_request
from mektep_collector.measure.web_body import BodyError
from mektep_collector.measure.web_plan import Answer, Fill, Take

CLIENT = "203.0.113.9"


def request(path: str, method: str = "GET", *lines: str) -> Request:
    head = "\r\n".join([f"{method} {path} HTTP/1.1", "Host: here", *lines]) + "\r\n\r\n"
    return parse_request(head.encode())


@pytest.mark.parametrize("folder", ["/", "/backend/"])
@pytest.mark.parametrize("suffix", ["", ".php"])
def test_each_endpoint_has_all_its_names(folder: str, suffix: str) -> None:
    assert isinstance(librespeed_plan(request(f"{folder}garbage{suffix}"), CLIENT), Fill)
    assert isinstance(librespeed_plan(request(f"{folder}empty{suffix}"), CLIENT), Answer)
    assert isinstance(librespeed_plan(request(f"{folder}getIP{suffix}"), CLIENT), Answer)


@pytest.mark.parametrize(
    ("asked", "pieces"),
    [
        ("", 4),
        ("?ckSize=1", 1),
        ("?ckSize=100&r=0.5", 100),
        ("?ckSize=1024", 1_024),
        ("?ckSize=99999999999999999999", 1_024),
        ("?ckSize=0", 4),
        ("?ckSize=-3", 4),
        ("?ckSize=ten", 4),
        ("?ckSize=%D9%A3", 4),
    ],
)
def test_garbage_has_the_size_that_was_asked_for_within_bounds(asked: str, pieces: int) -> None:
    plan = librespeed_plan(request(f"/garbage.php{asked}"), CLIENT)
    assert isinstance(plan, Fill)
    assert plan.size_bytes == pieces * PIECE_BYTES


def test_an_empty_answer_is_empty_and_says_200() -> None:
    plan = librespeed_plan(request("/empty.php"), CLIENT)
    assert isinstance(plan, Answer)
    assert (plan.status, plan.body) == (200, b"")


def test_a_post_of_twenty_megabytes_is_taken() -> None:
    plan = librespeed_plan(request("/empty.php", "POST", "Content-Length: 20000000"), CLIENT)
    assert isinstance(plan, Take)
    assert (plan.size_bytes, plan.answer.status, plan.answer.body) == (20_000_000, 200, b"")


def test_a_body_in_chunks_is_taken_without_a_length() -> None:
    plan = librespeed_plan(request("/empty.php", "POST", "Transfer-Encoding: chunked"), CLIENT)
    assert isinstance(plan, Take)
    assert plan.size_bytes is None


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("Content-Length: 64000001", 413),
        ("Content-Length: 9999999999999", 400),
        ("Content-Length: -1", 400),
        ("Content-Length: 5, 5", 400),
        ("Transfer-Encoding: gzip, chunked", 400),
        ("Transfer-Encoding: chunked\r\nContent-Length: 5", 400),
    ],
)
def test_a_post_of_no_known_or_too_great_length_is_refused(line: str, status: int) -> None:
    with pytest.raises(BodyError) as refused:
        librespeed_plan(request("/empty", "POST", line), CLIENT)
    assert refused.value.answer.status == status


@pytest.mark.parametrize(
    ("client", "word"), [(CLIENT, "203.0.113.9"), ("192.168.1.7", "private"), ("fe80::1%3", "private")]
)
def test_the_address_is_told_in_librespeeds_form(client: str, word: str) -> None:
    plan = librespeed_plan(request("/getIP.php?isp=true&distance=km"), client)
    assert isinstance(plan, Answer)
    told = msgspec.json.decode(plan.body, type=dict[str, str])
    assert word in told["processedString"]
    assert told["rawIspInfo"] == ""


@pytest.mark.parametrize("path", ["/garbage.php?cors=true", "/empty.php?cors=true&r=1", "/getIP.php?cors"])
def test_pages_from_elsewhere_may_read_what_they_ask_for(path: str) -> None:
    plan = librespeed_plan(request(path), CLIENT)
    assert isinstance(plan, Answer | Fill)
    assert dict(plan.headers)["Access-Control-Allow-Origin"] == "*"
    asked_before = librespeed_plan(request(path, "OPTIONS"), CLIENT)
    assert isinstance(asked_before, Answer)
    assert "Content-Encoding" in dict(asked_before.headers)["Access-Control-Allow-Headers"]


def test_without_cors_no_page_from_elsewhere_is_let_in() -> None:
    plan = librespeed_plan(request("/getIP.php"), CLIENT)
    assert isinstance(plan, Answer)
    assert "Access-Control-Allow-Origin" not in dict(plan.headers)


def test_other_methods_and_paths_are_not_understood() -> None:
    plan = librespeed_plan(request("/empty.php", "DELETE"), CLIENT)
    assert isinstance(plan, Answer)
    assert plan.status == 405
    assert librespeed_plan(request("/backend/backend/empty.php"), CLIENT) is None
    assert librespeed_plan(request("/ndt/v7/download"), CLIENT) is None
