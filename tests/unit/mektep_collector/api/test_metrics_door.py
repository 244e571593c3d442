import pytest
from starlette.requests import Request

from mektep_collector.api.metrics_door import check_metrics_reader
from mektep_collector.api.problems import ProblemError

TOKEN = "0123456789abcdef" * 4


def request(address: str | None, **headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    client = None if address is None else (address, 40_000)
    return Request({"type": "http", "method": "GET", "path": "/metrics", "headers": raw, "client": client})


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.0.1", "::1"])
def test_this_computer_needs_no_token(address: str) -> None:
    check_metrics_reader(request(address), "")


def test_who_bears_the_token_is_let_in_from_anywhere() -> None:
    check_metrics_reader(request("203.0.113.9", authorization=f"Bearer {TOKEN}"), TOKEN)
    check_metrics_reader(request("127.0.0.1", x_forwarded_for="203.0.113.9", authorization=f"bearer {TOKEN}"), TOKEN)


@pytest.mark.parametrize(
    ("asked", "token"),
    [
        (request("203.0.113.9"), ""),
        (request("203.0.113.9", authorization="Bearer "), ""),
        (request("203.0.113.9", authorization="Bearer"), ""),
        (request("203.0.113.9", authorization=f"Bearer {TOKEN}"), ""),
        (request("203.0.113.9"), TOKEN),
        (request("203.0.113.9", authorization=f"Bearer {TOKEN[:-1]}"), TOKEN),
        (request("203.0.113.9", authorization=f"Basic {TOKEN}"), TOKEN),
        (request("127.0.0.1", x_forwarded_for="127.0.0.1"), TOKEN),
        (request("127.0.0.1", forwarded="for=127.0.0.1"), TOKEN),
        (request("unknown"), TOKEN),
        (request(None), TOKEN),
    ],
)
def test_nobody_else_is(asked: Request, token: str) -> None:
    with pytest.raises(ProblemError) as refused:
        check_metrics_reader(asked, token)
    assert refused.value.problem.status == 401
    assert "metrics_token_file" in refused.value.problem.advice
