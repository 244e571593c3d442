"""A small real collector over HTTP: it checks signatures, stores by (epoch, seq), and errs on order.

Each request to `POST /v1/readings` takes the next of `orders`; when there is none left it does what it should.
"""

import gzip
import random
import socketserver
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mektep_agent.identity.keys import is_signed
from mektep_wire import (
    Assignment,
    Batch,
    Columns,
    EnrolmentGrant,
    EnrolmentRequest,
    Fate,
    FateOutcome,
    ProbeName,
    Problem,
    Purpose,
    Reading,
    Receipt,
    SchoolHours,
    SignedAssignment,
    Target,
    TokenGrant,
    TokenRequest,
    Weekday,
    decode,
    encode,
    new_uuid7,
    parse_signature,
    signing_input,
    unpack,
)
from mektep_wire.problem import PROBLEM_MEDIA_TYPE
from mektep_wire.signature import SIGNATURE_HEADER

CODE = "abc123.0123456789abcdef"
TOKEN = "mkd_0123456789abcdefghij"
DEVICE_ID = "33333333-3333-4333-8333-333333333333"
OTHER_DEVICE_ID = "44444444-4444-4444-8444-444444444444"


class Order(Enum):
    """What to do with one batch instead of what is right."""

    STORE_AND_DROP = auto()
    """Store it, and close the connection without an answer: the reply is lost."""
    DROP = auto()
    PORTAL = auto()
    """Answer 200 with a page, as a login page does."""
    REDIRECT = auto()
    OTHER_RECEIPT = auto()
    """Store it, and answer with a receipt for another batch."""
    NAME_HALF = auto()
    """Store and name the first half alone."""
    REJECT_FIRST = auto()
    TOO_LARGE = auto()
    MALFORMED = auto()
    UNAUTHORISED = auto()
    REVOKED = auto()
    BUSY = auto()
    """429 with Retry-After: 120."""
    GARBAGE = auto()
    """200 with JSON that is no receipt."""


def an_assignment(version: int = 1, echo: str = "udp://127.0.0.1:9") -> Assignment:
    """Return an assignment of a school that is open round the clock; nothing listens where throughput is measured."""
    return Assignment(
        version=version,
        device_id=DEVICE_ID,
        issued_at=datetime(2026, 9, 1, tzinfo=UTC),
        time_zone="Asia/Almaty",
        school_hours=[
            SchoolHours(
                weekday=weekday,
                opens_at=datetime(2026, 1, 1, 0, 0).time(),  # noqa: DTZ001 (a time of day)
                closes_at=datetime(2026, 1, 1, 23, 59).time(),  # noqa: DTZ001 (as above)
            )
            for weekday in Weekday
        ],
        holiday_country=None,
        days_off=[],
        working_days=[],
        throughput_slots_count=4,
        latency_interval_s=60.0,
        path_interval_s=3_600.0,
        send_interval_s=1.0,
        month_budget_bytes=None,
        targets=[
            Target(probe=ProbeName.THROUGHPUT, address="ws://127.0.0.1:9"),
            Target(probe=ProbeName.LATENCY, address=echo),
        ],
        norm_mbps=20.0,
        contracted_download_mbps=50.0,
        contracted_upload_mbps=50.0,
    )


class TokenOrder(Enum):
    """What to do with one request for a token instead of what is right."""

    MAKE_AND_DROP = auto()
    """Make it, and close the connection without an answer: the reply is lost."""
    BUSY = auto()
    UNKNOWN = auto()
    """404, as a collector answers that does not renew tokens yet."""
    PORTAL = auto()
    OTHER_DEVICE = auto()
    """Answer with a token for another device."""


class FakeCollector:
    """What the server knows; the test reads it and gives orders."""

    def __init__(self) -> None:
        self.key = Ed25519PrivateKey.generate()
        self.orders: deque[Order] = deque()
        self.stored: dict[tuple[str, int], Reading] = {}
        self.replayed_count = 0
        self.faults: list[str] = []
        self.requests: list[str] = []
        self.assignment = an_assignment()
        self.assignment_key = self.key
        self.device_key = b""
        self.clock_ahead_s = 0.0
        self.drop_grants_count = 0
        self.tokens = [TOKEN]
        """Every token that was given and is good, the newest last."""
        self.token_orders: deque[TokenOrder] = deque()
        self.on_token_asked: Callable[[], None] = lambda: None
        self.nonces: set[bytes] = set()
        self.used_tokens: list[str] = []
        """The token of each batch that was looked at."""
        self.sizes: list[int] = []
        self.max_readings: int | None = None
        self.poison_seqs: set[int] = set()
        self.changed = threading.Condition()
        self.url = ""

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.clock_ahead_s)

    def signed(self) -> SignedAssignment:
        payload = encode(self.assignment)
        signature = self.assignment_key.sign(signing_input(Purpose.ASSIGNMENT, payload))
        return SignedAssignment(payload=payload, signature=signature)

    def wait_until(self, condition: Callable[[], bool], timeout_s: float = 20.0) -> bool:
        """Wait until a request made `condition` true; say whether one did."""
        with self.changed:
            return self.changed.wait_for(condition, timeout_s)


def problem(status: int, kind: str, field: str | None = None) -> tuple[int, str, bytes]:
    told = Problem(
        type=f"urn:mektep-meter:problem:{kind}", title=kind, status=status, detail="on order", advice="", field=field
    )
    return status, PROBLEM_MEDIA_TYPE, encode(told)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    collector: FakeCollector

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        with self.collector.changed:
            self.collector.requests.append(f"GET {self.path}")
            self.collector.changed.notify_all()
        if self.path == "/v1/assignment":
            version = f'"{self.collector.assignment.version}"'
            if self.headers.get("If-None-Match") == version:
                self._answer(304, "", b"")
            else:
                self._answer(200, "application/json", encode(self.collector.signed()), {"ETag": version})
        else:
            self._answer(*problem(404, "not-found"))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        with self.collector.changed:
            self.collector.requests.append(f"POST {self.path}")
            try:
                if self.path == "/v1/enrolments":
                    self._enrol(body)
                elif self.path == "/v1/tokens":
                    self._renew(body)
                else:
                    self._readings(body)
            finally:
                self.collector.changed.notify_all()

    def _enrol(self, body: bytes) -> None:
        own = self.collector
        request = decode(EnrolmentRequest, body)
        if not is_signed(request.public_key, Purpose.ENROLMENT, request.code.encode(), request.proof):
            own.faults.append("an enrolment without proof")
        if request.code != CODE:
            self._answer(*problem(404, "code-unknown"))
            return
        if own.device_key and own.device_key != request.public_key:
            self._answer(*problem(409, "code-spent"))
            return
        own.device_key = request.public_key
        if own.drop_grants_count:
            own.drop_grants_count -= 1
            self.close_connection = True
            return
        grant = EnrolmentGrant(
            device_id=DEVICE_ID,
            token=TOKEN,
            school_name="Example school 1",
            collector_public_key=own.key.public_key().public_bytes_raw(),
            assignment=own.signed(),
            enrolled_at=own.now(),
        )
        self._answer(201, "application/json", encode(grant))

    def _has_token(self) -> bool:
        """Tell whether the request bears a good token; answer where it does not."""
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        self.collector.used_tokens.append(token)
        if not token.startswith("mkd_"):
            self.collector.faults.append("a request without a token")
        if token in self.collector.tokens:
            return True
        self._answer(*problem(401, "unauthorised"))
        return False

    def _renew(self, body: bytes) -> None:
        own = self.collector
        if not self._has_token():
            return
        signature = parse_signature(self.headers.get(SIGNATURE_HEADER, ""))
        if not is_signed(own.device_key, Purpose.TOKEN, body, signature):
            own.faults.append("a request for a token with a bad signature")
        request = decode(TokenRequest, body)
        if request.nonce in own.nonces or abs((own.now() - request.asked_at).total_seconds()) > 60:
            own.faults.append("a request for a token that is not of this moment")
        own.nonces.add(request.nonce)
        own.on_token_asked()
        order = own.token_orders.popleft() if own.token_orders else None
        match order:
            case TokenOrder.BUSY:
                self._answer(*problem(429, "too-many-requests"), {"Retry-After": "600"})
            case TokenOrder.UNKNOWN:
                self._answer(*problem(404, "not-found"))
            case TokenOrder.PORTAL:
                self._answer(200, "text/html; charset=utf-8", b"<html>Please log in</html>")
            case _:
                own.tokens.append(f"{TOKEN}_{len(own.nonces)}")
                if order is TokenOrder.MAKE_AND_DROP:
                    self.close_connection = True
                    return
                whose = OTHER_DEVICE_ID if order is TokenOrder.OTHER_DEVICE else DEVICE_ID
                grant = TokenGrant(device_id=whose, token=own.tokens[-1], made_at=own.now())
                self._answer(201, "application/json", encode(grant))

    def _readings(self, body: bytes) -> None:
        own = self.collector
        payload = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
        if not self._has_token():
            return
        signature = parse_signature(self.headers.get(SIGNATURE_HEADER, ""))
        if not is_signed(own.device_key, Purpose.BATCH, body, signature):
            own.faults.append("a batch with a bad signature")
        batch = decode(Batch, payload)
        readings = unpack(decode(Columns, batch.readings))
        own.sizes.append(len(readings))
        order = own.orders.popleft() if own.orders else None
        if own.max_readings is not None and len(readings) > own.max_readings:
            order = Order.TOO_LARGE
        if own.poison_seqs & {reading.seq for reading in readings}:
            order = Order.MALFORMED
        self._obey(order, batch, readings)

    def _obey(self, order: Order | None, batch: Batch, readings: Sequence[Reading]) -> None:
        own = self.collector
        match order:
            case Order.DROP:
                self.close_connection = True
            case Order.STORE_AND_DROP:
                self._store(readings)
                self.close_connection = True
            case Order.PORTAL:
                self._answer(200, "text/html; charset=utf-8", b"<html>Please log in</html>")
            case Order.REDIRECT:
                self._answer(302, "text/html", b"", {"Location": f"{own.url}/login"})
            case Order.GARBAGE:
                self._answer(200, "application/json", b'{"ok": true}')
            case Order.TOO_LARGE:
                self._answer(*problem(413, "body-too-large"))
            case Order.MALFORMED:
                self._answer(*problem(400, "malformed", "$.readings"))
            case Order.UNAUTHORISED:
                self._answer(*problem(401, "unauthorised"))
            case Order.REVOKED:
                self._answer(*problem(410, "device-revoked"))
            case Order.BUSY:
                self._answer(*problem(429, "too-many-requests"), {"Retry-After": "120"})
            case Order.OTHER_RECEIPT:
                self._receipt(new_uuid7(own.now(), random.Random(5)), self._store(readings))
            case Order.NAME_HALF:
                self._receipt(batch.id, self._store(readings[: len(readings) // 2]))
            case Order.REJECT_FIRST:
                rejected = Fate(index=0, outcome=FateOutcome.REJECTED, field="$.values", reason="on order")
                later = [msgspec.structs.replace(fate, index=fate.index + 1) for fate in self._store(readings[1:])]
                self._receipt(batch.id, [rejected, *later])
            case None:
                self._receipt(batch.id, self._store(readings))

    def _store(self, readings: Sequence[Reading]) -> list[Fate]:
        fates = []
        for index, reading in enumerate(readings):
            key = (reading.epoch, reading.seq)
            outcome = FateOutcome.STORED
            if key in self.collector.stored:
                outcome = FateOutcome.DUPLICATE
                self.collector.replayed_count += 1
                if self.collector.stored[key].id != reading.id:
                    self.collector.faults.append(f"two readings under {key}")
            self.collector.stored.setdefault(key, reading)
            fates.append(Fate(index=index, outcome=outcome))
        return fates

    def _receipt(self, batch_id: str, fates: Sequence[Fate]) -> None:
        receipt = Receipt(
            batch_id=batch_id,
            received_at=self.collector.now(),
            fates=fates,
            assignment_version=self.collector.assignment.version,
        )
        self._answer(200, "application/json", encode(receipt))

    def _answer(self, status: int, media_type: str, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class _Echo(socketserver.BaseRequestHandler):
    """Sends each datagram back as it came."""

    def handle(self) -> None:
        datagram, listener = self.request
        listener.sendto(datagram, self.client_address)


@contextmanager
def fake_collector(port: int = 0, host: str = "127.0.0.1") -> Iterator[FakeCollector]:
    """Serve on `host` until the end of the block."""
    collector = FakeCollector()
    echo = socketserver.ThreadingUDPServer((host, 0), _Echo)
    echo.daemon_threads = True
    collector.assignment = an_assignment(echo=f"udp://{host}:{echo.server_address[1]}")
    handler = type("Handler", (_Handler,), {"collector": collector})
    server = ThreadingHTTPServer((host, port), handler)
    server.daemon_threads = True
    collector.url = f"http://{host}:{server.server_port}"
    threads = [threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.02}) for one in (server, echo)]
    for thread in threads:
        thread.start()
    try:
        yield collector
    finally:
        for one in (server, echo):
            one.shutdown()
            one.server_close()
        for thread in threads:
            thread.join()
