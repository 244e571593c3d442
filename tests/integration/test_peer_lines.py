"""Lines to other collectors, against a server that does what a script says."""

import asyncio
import socket
import threading
from collections.abc import Callable

import pytest

from mektep_collector.api.peer_lines import Answer, PeerError, PeerLines
from tests.support.scripted_http import Peer, scripted_http

BODY = b"b" * 3_000
HEADERS = {"Authorization": "Bearer token"}
RECEIPT = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


def heard(peer: Peer) -> bytes:
    """Return a whole request."""
    request = peer.hear()
    head, _, body = request.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += peer.connection.recv(1 << 16)
    return head + b"\r\n\r\n" + body


def asked(script: Callable[[Peer], None], times_count: int = 1, deadline_s: float = 30.0) -> list[Answer]:
    """Post so many times, one after another."""

    async def post(url: str) -> list[Answer]:
        lines = PeerLines(deadline_s)
        try:
            return [await lines.post(url + "/v1/readings", HEADERS, BODY) for _ in range(times_count)]
        finally:
            lines.close()

    with scripted_http(script) as url:
        return asyncio.run(post(url))


def test_what_is_posted_comes_whole_and_its_answer_comes_back() -> None:
    requests: list[bytes] = []

    def script(peer: Peer) -> None:
        requests.append(heard(peer))
        peer.say(b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nTransfer-Encoding: chunked\r\n\r\n")
        peer.say(b"3\r\nnot\r\n4\r\n now\r\n0\r\n\r\n")

    (answer,) = asked(script)
    head, _, body = requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1/readings HTTP/1.1\r\n")
    assert b"authorization: bearer token" in head.lower()
    assert body == BODY
    assert (answer.status, answer.headers["retry-after"], answer.content) == (503, "7", b"not now")


def test_a_line_is_kept_for_the_next_request() -> None:
    connections: list[Peer] = []

    def script(peer: Peer) -> None:
        connections.append(peer)
        while heard(peer):
            peer.say(RECEIPT)

    assert [each.status for each in asked(script, 5)] == [200] * 5
    assert len(connections) == 1


def test_a_line_that_the_other_said_it_would_close_is_not_kept() -> None:
    connections: list[Peer] = []

    def script(peer: Peer) -> None:
        connections.append(peer)
        heard(peer)
        peer.say(RECEIPT.replace(b"Content-Type", b"Connection: close\r\nContent-Type"))

    assert len(asked(script, 3)) == len(connections) == 3


def test_a_kept_line_that_has_ended_meanwhile_costs_no_answer() -> None:
    connections: list[Peer] = []

    def script(peer: Peer) -> None:
        connections.append(peer)
        heard(peer)
        peer.say(RECEIPT)  # and the connection ends, unannounced

    assert [each.content for each in asked(script, 3)] == [b"{}"] * 3
    assert len(connections) == 3


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf",
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + b"x" * 3_000_000,
    ],
    ids=["nothing", "half an answer", "another protocol", "more than a receipt can be"],
)
def test_what_is_no_whole_answer_is_none(said: bytes) -> None:
    def script(peer: Peer) -> None:
        heard(peer)
        peer.say(said)

    with pytest.raises(PeerError, match="did not answer"):
        asked(script)


def test_who_says_nothing_is_waited_for_so_long_and_no_longer() -> None:
    def script(peer: Peer) -> None:
        heard(peer)
        peer.await_end()

    with pytest.raises(PeerError, match="in time"):
        asked(script, deadline_s=0.2)


def test_where_nobody_listens_there_is_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    async def post() -> Answer:
        return await PeerLines().post(f"http://127.0.0.1:{port}/v1/readings", HEADERS, BODY)

    with pytest.raises(PeerError, match="did not answer"):
        asyncio.run(post())


def test_requests_at_once_have_a_line_each() -> None:
    both = threading.Barrier(2, timeout=10)

    def script(peer: Peer) -> None:
        heard(peer)
        both.wait()
        peer.say(RECEIPT)

    async def post(url: str) -> list[Answer]:
        lines = PeerLines()
        try:
            return list(await asyncio.gather(*(lines.post(url + "/v1/readings", HEADERS, BODY) for _ in range(2))))
        finally:
            lines.close()

    with scripted_http(script) as url:
        assert [each.status for each in asyncio.run(post(url))] == [200, 200]
