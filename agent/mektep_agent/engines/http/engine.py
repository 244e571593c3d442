"""Implements `PageEngine`: resolve, check the address, connect, TLS, one GET; again for a redirect within the site."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec

from mektep_agent.clock import TimeSource
from mektep_agent.engines.assigned import AssignedTargets, Reach, own_gateway
from mektep_agent.engines.engine import EngineError
from mektep_agent.engines.failures import from_os_error
from mektep_agent.engines.http.connect import connect
from mektep_agent.engines.http.exchange import Answer, Patience, ask
from mektep_agent.engines.http.link import Meter, PlainLink, TlsLink
from mektep_agent.engines.http.place import Place, parse_place
from mektep_agent.engines.http.proxy import Proxy, parse_proxy, system_proxy
from mektep_agent.engines.http.status import GOOD, REDIRECTS, check_content, next_place, refusal
from mektep_agent.engines.resolve import Resolve, resolve
from mektep_agent.engines.tls import tls_failure, trust_context
from mektep_agent.sample import PageSample
from mektep_wire import VERSION, EngineName, FailureKind

MAX_BODY_BYTES = 8_192
MAX_REDIRECTS_COUNT = 3
USER_AGENT = f"MektepMeter/{VERSION} (school connectivity monitor; one small page an hour at most)"
_WRONG_NAME = {62, 64, -2146762481}  # OpenSSL: another host, another IP address; Windows: CERT_E_CN_NO_MATCH
_CONNECT_OK = 200
_PROXY_WANTS_PASSWORD = 407
_NETWORK_WANTS_LOGIN = 511


class HttpSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to trust, how long to wait for each step, and what may be reached beside public addresses."""

    authorities: Path | None = None
    reach: Reach = Reach()
    lookup_timeout_s: float = 5.0
    connect_timeout_s: float = 5.0
    handshake_timeout_s: float = 10.0
    silence_timeout_s: float = 10.0
    page_timeout_s: float = 20.0


class _Steps(msgspec.Struct, frozen=True, kw_only=True):
    """One hop: the times of its steps, and the answer."""

    dns_lookup_ms: float | None
    tcp_connect_ms: float | None
    tls_handshake_ms: float
    answer: Answer


class HttpEngine:
    """Implements `PageEngine`. `resolve`, `proxy_for` and `gateway` are what the system says, unless handed in."""

    def __init__(
        self,
        settings: HttpSettings,
        time: TimeSource,
        resolve: Resolve = resolve,
        proxy_for: Callable[[str], str | None] = system_proxy,
        gateway: Callable[[], str | None] = own_gateway,
    ) -> None:
        self._settings = settings
        self._time = time
        self._resolve = resolve
        self._proxy_for = proxy_for
        self._targets = AssignedTargets(settings.reach, gateway)

    @property
    def name(self) -> EngineName:
        """The engine's name on the wire."""
        return EngineName.HTTP

    def version(self) -> str:
        """Return the version of this distribution, whose code measures."""
        return VERSION

    def obstacle(self) -> str | None:
        """Return None: any program may open connections."""
        return None

    async def measure(self, target: str, expected_text: str | None) -> PageSample:
        """Fetch the page at `target`, which must hold `expected_text` if that is given; raises EngineError."""
        meter = Meter()
        try:
            return await self._follow(target, expected_text, meter)
        except EngineError as error:
            raise EngineError(
                error.kind, error.detail, bytes_sent=meter.bytes_sent, bytes_received=meter.bytes_received
            ) from None

    async def _follow(self, target: str, expected_text: str | None, meter: Meter) -> PageSample:
        try:
            place = parse_place(target)
        except ValueError as error:
            raise EngineError(FailureKind.PROTOCOL_ERROR, str(error)) from None
        found_proxy = self._proxy_for(place.host)
        proxy = parse_proxy(found_proxy) if found_proxy else None
        trust = trust_context(self._settings.authorities)
        first: _Steps | None = None
        for redirects_count in range(MAX_REDIRECTS_COUNT + 1):
            steps = await self._fetch(place, proxy, trust, meter)
            first, answer = first or steps, steps.answer
            if answer.status in REDIRECTS and answer.location:
                place = next_place(place, answer.location)
                continue
            if answer.status not in GOOD:
                raise refusal(place, answer.status)
            check_content(place, answer.body, expected_text)
            return PageSample(
                dns_lookup_ms=first.dns_lookup_ms,
                tcp_connect_ms=first.tcp_connect_ms,
                tls_handshake_ms=first.tls_handshake_ms,
                ttfb_ms=answer.ttfb_ms,
                small_object_ms=answer.whole_ms,
                status=answer.status,
                body_bytes=len(answer.body),
                is_whole=answer.is_whole,
                redirects_count=redirects_count,
                by_proxy=proxy.shown if proxy is not None else None,
                bytes_sent=meter.bytes_sent,
                bytes_received=meter.bytes_received,
            )
        raise EngineError(
            FailureKind.HTTP_REDIRECT, f"the site sent on more than {MAX_REDIRECTS_COUNT} times, last to {place.host}"
        )

    async def _fetch(self, place: Place, proxy: Proxy | None, trust: ssl.SSLContext, meter: Meter) -> _Steps:
        if proxy is not None:
            connection = await self._to_proxy(proxy)
            dns_lookup_ms = tcp_connect_ms = None
        else:
            began_s = self._time.monotonic_s()
            found = await self._resolve(place.host, place.port, self._settings.lookup_timeout_s)
            dns_lookup_ms = (self._time.monotonic_s() - began_s) * 1e3
            addresses = self._targets.permitted(place.host, found)
            connection, tcp_connect_ms = await connect(
                place.host, addresses, self._settings.connect_timeout_s, self._time, FailureKind.CONNECT_TIMEOUT
            )
        with closing(connection):
            plain = PlainLink(connection, meter)
            try:
                if proxy is not None:
                    await self._tunnel(plain, place, proxy)
                link, tls_handshake_ms = await self._secure(plain, place, trust)
                answer = await self._get(link, place)
            except OSError as error:
                raise from_os_error(error, place.host, FailureKind.CONNECTION_RESET) from None
        return _Steps(
            dns_lookup_ms=dns_lookup_ms,
            tcp_connect_ms=tcp_connect_ms,
            tls_handshake_ms=tls_handshake_ms,
            answer=answer,
        )

    async def _to_proxy(self, proxy: Proxy) -> socket.socket:
        """Return a connection to the proxy, which may stand in the school: this computer's own settings name it."""
        try:
            found = await self._resolve(proxy.host, proxy.port, self._settings.lookup_timeout_s)
            connection, _ = await connect(
                proxy.host, found, self._settings.connect_timeout_s, self._time, FailureKind.PROXY_ERROR
            )
        except EngineError as error:
            told = f"the proxy {proxy.shown} of this computer's settings is out of reach: {error.detail}"
            raise EngineError(FailureKind.PROXY_ERROR, told) from None
        return connection

    async def _tunnel(self, plain: PlainLink, place: Place, proxy: Proxy) -> None:
        """Have the proxy connect to the platform (RFC 9110, 9.3.6)."""
        authority = f"{place.authority.removesuffix(f':{place.port}')}:{place.port}"
        headers = [("Host", authority), ("User-Agent", USER_AGENT)]
        if proxy.authorization is not None:
            headers.append(("Proxy-Authorization", proxy.authorization))
        answer = await ask(plain, "CONNECT", authority, headers, 0, self._time, self._patience())
        if answer.status == _CONNECT_OK:
            return
        if answer.status in REDIRECTS or answer.status == _NETWORK_WANTS_LOGIN:
            told = f"the proxy {proxy.shown} answers with a page of its own (status {answer.status})"
            raise EngineError(FailureKind.CAPTIVE_PORTAL, told)
        wants = ": it wants a name and password" if answer.status == _PROXY_WANTS_PASSWORD else ""
        raise EngineError(
            FailureKind.PROXY_ERROR, f"the proxy {proxy.shown} refused {place.host} with status {answer.status}{wants}"
        )

    async def _secure(self, plain: PlainLink, place: Place, trust: ssl.SSLContext) -> tuple[TlsLink, float]:
        link = TlsLink(plain, trust, place.host)
        began_s = self._time.monotonic_s()
        try:
            async with asyncio.timeout(self._settings.handshake_timeout_s):
                await link.shake_hands()
        except TimeoutError:
            told = (
                f"{place.host} took the connection, but TLS was not ready in {self._settings.handshake_timeout_s:g} s"
            )
            raise EngineError(FailureKind.STALLED, told) from None
        except ssl.SSLCertVerificationError as error:
            if error.verify_code in _WRONG_NAME:
                told = f"in the name of {place.host} something shows the certificate of another"
                raise EngineError(FailureKind.CAPTIVE_PORTAL, told) from None
            raise tls_failure(place.host, error) from None
        except OSError as error:
            raise tls_failure(place.host, error) from None
        return link, (self._time.monotonic_s() - began_s) * 1e3

    async def _get(self, link: TlsLink, place: Place) -> Answer:
        headers = [
            ("Host", place.authority),
            ("User-Agent", USER_AGENT),
            ("Accept", "*/*"),
            ("Accept-Encoding", "identity"),
            ("Connection", "close"),
        ]
        return await ask(link, "GET", place.path, headers, MAX_BODY_BYTES, self._time, self._patience())

    def _patience(self) -> Patience:
        return Patience(silence_s=self._settings.silence_timeout_s, whole_s=self._settings.page_timeout_s)
