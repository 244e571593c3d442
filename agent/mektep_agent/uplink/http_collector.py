"""The collector over HTTP: requests that end, answers that are bounded, and nothing followed to another host.

The system's proxy settings and certificate store are used. A redirect is not followed: the token and the readings are
for this collector alone.
"""

import gzip
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
import truststore

from mektep_agent.clock import TimeSource
from mektep_agent.identity.device import Device
from mektep_agent.identity.keys import sign
from mektep_agent.uplink.carrier import Answer, Consignment
from mektep_agent.uplink.http_failure import failure_of
from mektep_wire import VERSION, Batch, FailureKind, LeaseEnd, LeaseRequest, Purpose, encode, format_signature, pack
from mektep_wire.signature import SIGNATURE_HEADER

MAX_ANSWER_BYTES = 1_048_576
_JSON = "application/json"
_USER_AGENT = f"mektep-agent/{VERSION}"


class _AnswerTooLargeError(Exception):
    """More came than any answer of a collector holds."""


class HttpCollector:
    """One collector, over connections that are kept open until `close`. Blocks; for a thread or process of its own."""

    def __init__(self, url: str, time: TimeSource, *, connect_timeout_s: float, request_timeout_s: float) -> None:
        self._url = url
        self._time = time
        self._request_timeout_s = request_timeout_s
        timeout = httpx.Timeout(request_timeout_s, connect=connect_timeout_s)
        verify: ssl.SSLContext | bool = False
        if url.startswith("https:"):
            verify = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._client = httpx.Client(
            timeout=timeout,
            verify=verify,
            follow_redirects=False,
            # Answers are small; compressed ones would only be a way to fill this computer's memory.
            headers={"User-Agent": _USER_AGENT, "Accept-Encoding": "identity"},
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def post_batch(self, device: Device, consignment: Consignment) -> Answer:
        """Make the batch with the clocks of this moment, sign it, and post it."""
        batch = Batch(
            id=consignment.batch_id,
            device_id=device.device_id,
            agent_version=VERSION,
            sent_at=self._time.now(),
            sent_monotonic_s=self._time.monotonic_s(),
            boot_id=consignment.boot_id,
            readings=pack(consignment.readings),
        )
        body = gzip.compress(encode(batch), 6, mtime=0)
        headers = {
            "Authorization": f"Bearer {device.token}",
            "Content-Type": _JSON,
            "Content-Encoding": "gzip",
            SIGNATURE_HEADER: format_signature(sign(device.private_key, Purpose.BATCH, body)),
        }
        return self._ask("POST", "/v1/readings", headers, body)

    def get_assignment(self, device: Device, current_version: int) -> Answer:
        """Ask for the assignment, if it is another than `current_version`."""
        headers = {"Authorization": f"Bearer {device.token}", "Accept": _JSON}
        if current_version:
            headers["If-None-Match"] = f'"{current_version}"'
        return self._ask("GET", "/v1/assignment", headers, None)

    def post_lease(self, device: Device, for_s: float) -> Answer:
        """Ask for the school's line."""
        headers = {"Authorization": f"Bearer {device.token}", "Content-Type": _JSON}
        return self._ask("POST", "/v1/leases", headers, encode(LeaseRequest(for_s=for_s)))

    def delete_lease(self, device: Device, lease_id: str, end: LeaseEnd) -> Answer:
        """Give the school's line back."""
        headers = {"Authorization": f"Bearer {device.token}"}
        return self._ask("DELETE", f"/v1/leases/{lease_id}?end={end.value}", headers, None)

    def post_token(self, device: Device, body: bytes) -> Answer:
        """Ask for a new token."""
        headers = {
            "Authorization": f"Bearer {device.token}",
            "Content-Type": _JSON,
            SIGNATURE_HEADER: format_signature(sign(device.private_key, Purpose.TOKEN, body)),
        }
        return self._ask("POST", "/v1/tokens", headers, body)

    def post_enrolment(self, body: bytes) -> Answer:
        """Ask to become a device."""
        return self._ask("POST", "/v1/enrolments", {"Content-Type": _JSON}, body)

    def _ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        sent_at, sent_s = self._time.now(), self._time.monotonic_s()
        rtt_s = 0.0
        try:
            with self._client.stream(method, self._url + path, headers=dict(headers), content=body) as response:
                rtt_s = self._time.monotonic_s() - sent_s
                content = self._bounded(response, sent_s + self._request_timeout_s)
                server_at = _http_date(response.headers.get("date"))
                return Answer(
                    sent_at=sent_at,
                    sent_monotonic_s=sent_s,
                    rtt_s=rtt_s,
                    status=response.status_code,
                    media_type=response.headers.get("content-type", "").partition(";")[0].strip().lower(),
                    body=content,
                    server_at=server_at,
                    retry_after_s=_retry_after_s(response.headers.get("retry-after"), server_at),
                    content_bytes=len(body or b"") + len(content),
                    peer=_peer(response),
                )
        except httpx.HTTPError as error:
            kind, detail = failure_of(error), str(error) or type(error).__name__
        except _AnswerTooLargeError as error:
            kind, detail = FailureKind.PROTOCOL_ERROR, str(error)
        except TimeoutError:
            kind, detail = FailureKind.TIMEOUT, f"the answer was not whole after {self._request_timeout_s:g} s"
        return Answer(
            sent_at=sent_at,
            sent_monotonic_s=sent_s,
            rtt_s=self._time.monotonic_s() - sent_s,
            failure=kind,
            detail=detail[:500],
            content_bytes=len(body or b""),
        )

    def _bounded(self, response: httpx.Response, deadline_s: float) -> bytes:
        """Read the body; raises _AnswerTooLargeError and TimeoutError. Each wait within is bounded by the client."""
        content = bytearray()
        for chunk in response.iter_raw(65_536):
            content += chunk
            if len(content) > MAX_ANSWER_BYTES:
                raise _AnswerTooLargeError(f"the answer is larger than {MAX_ANSWER_BYTES} bytes")
            if self._time.monotonic_s() > deadline_s:
                raise TimeoutError
        return bytes(content)


@contextmanager
def http_collector(
    url: str, time: TimeSource, *, connect_timeout_s: float, request_timeout_s: float
) -> Iterator[HttpCollector]:
    """Open a collector and close it at the end of the block."""
    collector = HttpCollector(url, time, connect_timeout_s=connect_timeout_s, request_timeout_s=request_timeout_s)
    try:
        yield collector
    finally:
        collector.close()


def _peer(response: httpx.Response) -> str:
    """Return the IP address at the other end of the connection: the server's, or a proxy's."""
    stream = response.extensions.get("network_stream")
    found = stream.get_extra_info("server_addr") if stream is not None else None
    return str(found[0]).partition("%")[0] if found else ""


def _http_date(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        parsed = parsedate_to_datetime(text)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _retry_after_s(text: str | None, server_at: datetime | None) -> float | None:
    """Return seconds from now; a date is set against the server's own Date, not against this computer's clock."""
    if not text:
        return None
    if text.strip().isascii() and text.strip().isdigit():
        return float(text.strip()[:12])
    at = _http_date(text)
    if at is None or server_at is None:
        return None
    return max((at - server_at).total_seconds(), 0.0)
