"""Reading a request's head from a channel, within a time and a size."""

from mektep_collector.clock import TimeSource
from mektep_collector.measure.channel import Channel
from mektep_collector.measure.handshake import Refusal, refuse
from mektep_collector.measure.outcome import Turned
from mektep_collector.measure.request import looks_like_http
from mektep_collector.measure.specification import MAX_REQUEST_HEAD_BYTES

_HEAD_END = b"\r\n\r\n"


class TurnedAwayError(Exception):
    """A connection that becomes no test: why, for counting, and what the client is told, if anything."""

    def __init__(self, reason: Turned, refusal: Refusal | None = None) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.refusal = refusal


def read_head(channel: Channel, time: TimeSource, until_s: float, already: bytes = b"") -> tuple[bytes, bytes]:
    """Return the head of the request that `already` begins, and what came behind it.

    Raises TurnedAwayError where it does not come whole by `until_s`, is too large or is not HTTP, and ChannelError.
    """
    head = bytearray(already)
    buffer = memoryview(bytearray(MAX_REQUEST_HEAD_BYTES))
    while (end := head.find(_HEAD_END)) < 0:
        if len(head) >= MAX_REQUEST_HEAD_BYTES:
            raise TurnedAwayError(Turned.REFUSED, refuse(431, "The request's head is too large.\n"))
        if time.monotonic_s() >= until_s:
            raise TurnedAwayError(Turned.TIMED_OUT, refuse(408, "The request did not come in time.\n"))
        count = channel.receive_into(buffer)
        if count is None:
            channel.wait_to_receive(until_s)
            continue
        if count == 0:
            raise TurnedAwayError(Turned.CONNECTION_LOST)
        head += buffer[:count]
        if not looks_like_http(bytes(head)):
            raise TurnedAwayError(Turned.NOT_HTTP, refuse(400, "This is no HTTP request.\n"))
    end += len(_HEAD_END)
    return bytes(head[:end]), bytes(head[end:])
