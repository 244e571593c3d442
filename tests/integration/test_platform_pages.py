"""A learning platform is met over real TLS, and each way in which it, or what stands before it, fails is told apart."""

import asyncio
import socket
import threading
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from mektep_agent.clock import SystemTime
from mektep_agent.config import LocalTargets
from mektep_agent.engines.assigned import Reach
from mektep_agent.engines.engine import EngineError
from mektep_agent.engines.http.engine import HttpEngine, HttpSettings
from mektep_agent.engines.resolve import Address
from mektep_agent.sample import PageSample
from mektep_wire import FailureKind
from tests.support.certificate import CertificateFiles, make_certificate
from tests.support.loopback import loopbacks
from tests.support.scripted_platform import (
    Script,
    answer,
    endless,
    reset,
    say,
    scripted_platform,
    scripted_proxy,
    stay_silent,
    trickle,
    tunnel_to,
)

SITE = "mektep.example"
PAGE = b"<html><title>Mektep</title>" + b"a" * 2_000


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> CertificateFiles:
    return make_certificate(tmp_path_factory.mktemp("certificate"), SITE, f"login.{SITE}")


def at(*hosts: str) -> tuple[Address, ...]:
    """Return addresses to be connected to, the port filled in by the resolver below."""
    return tuple(
        Address(socket.AF_INET6, (host, 0, 0, 0)) if ":" in host else Address(socket.AF_INET, (host, 0))
        for host in hosts
    )


class LocalNames:
    """A resolver for the names of these tests."""

    def __init__(self, names: Mapping[str, tuple[Address, ...]] | None = None, delay_s: float = 0.0) -> None:
        self.names = dict(names or {})
        self.delay_s = delay_s

    async def __call__(self, host: str, port: int, timeout_s: float) -> tuple[Address, ...]:
        if self.delay_s > timeout_s:
            raise EngineError(FailureKind.DNS_TIMEOUT, f"no resolver answered for {host} within {timeout_s:g} s")
        await asyncio.sleep(self.delay_s)
        found = self.names.get(host, at("127.0.0.1"))
        return tuple(Address(one.family, (one.endpoint[0], port, *one.endpoint[2:])) for one in found)


def engine(
    certificate: CertificateFiles,
    resolve: LocalNames | None = None,
    proxy: str | None = None,
    local_targets: LocalTargets = LocalTargets.ALLOWED,
    gateway: str | None = None,
) -> HttpEngine:
    settings = HttpSettings(
        authorities=certificate.certificate,
        reach=Reach(local_targets=local_targets),
        lookup_timeout_s=0.5,
        connect_timeout_s=1.0,
        handshake_timeout_s=0.5,
        silence_timeout_s=0.4,
        page_timeout_s=0.8,
    )
    return HttpEngine(settings, SystemTime(), resolve or LocalNames(), lambda _: proxy, lambda: gateway)


def fetch(
    certificate: CertificateFiles,
    script: Script,
    expected_text: str | None = None,
    scripts: Mapping[str, Script] | None = None,
) -> PageSample:
    async def run() -> PageSample:
        async with scripted_platform({"/": script, **(scripts or {})}, certificate) as platform:
            return await engine(certificate).measure(platform.url(host=SITE), expected_text)

    return asyncio.run(run())


def failure(
    certificate: CertificateFiles,
    script: Script,
    expected_text: str | None = None,
    scripts: Mapping[str, Script] | None = None,
) -> EngineError:
    with pytest.raises(EngineError) as caught:
        fetch(certificate, script, expected_text, scripts)
    return caught.value


def test_a_page_gives_the_time_of_each_step_and_every_byte_is_counted(certificate: CertificateFiles) -> None:
    sample = fetch(certificate, answer("200 OK", PAGE), "Mektep")
    assert sample.dns_lookup_ms is not None
    assert sample.tcp_connect_ms is not None
    assert 0 < sample.tls_handshake_ms < 500
    assert 0 < sample.ttfb_ms <= sample.small_object_ms < 500
    assert (sample.status, sample.body_bytes, sample.is_whole) == (200, len(PAGE), True)
    assert (sample.redirects_count, sample.by_proxy) == (0, None)
    assert len(PAGE) + 500 < sample.bytes_received < len(PAGE) + 3_000  # certificate and headers around the page
    assert 300 < sample.bytes_sent < 1_500


def test_the_request_says_who_asks_and_carries_nothing_else(certificate: CertificateFiles) -> None:
    async def run() -> Mapping[str, str]:
        async with scripted_platform({"/": answer("200 OK", PAGE)}, certificate) as platform:
            await engine(certificate).measure(platform.url(host=SITE), None)
            assert platform.asked[0].line == "GET / HTTP/1.1"
            return platform.asked[0].headers

    headers = asyncio.run(run())
    assert headers["User-Agent"].startswith("MektepMeter/")
    assert sorted(headers) == ["Accept", "Accept-Encoding", "Connection", "Host", "User-Agent"]


def test_no_more_is_read_of_a_page_without_an_end_than_is_allowed(certificate: CertificateFiles) -> None:
    sample = fetch(certificate, endless)
    assert (sample.body_bytes, sample.is_whole) == (8_192, False)
    assert sample.bytes_received < 8_192 + 8_000
    longer = fetch(certificate, answer("200 OK", b"a" * 9_001))
    assert (longer.body_bytes, longer.is_whole) == (8_192, False)


def test_a_redirect_within_the_site_is_followed_and_counted(certificate: CertificateFiles) -> None:
    async def run() -> PageSample:
        scripts = {
            "/": answer("302 Found", b"", "Location: /start?x=1"),
            "/start?x=1": answer("308 Permanent Redirect", b"", "Location: here"),
            "/here": answer("200 OK", PAGE),
        }
        async with scripted_platform(scripts, certificate) as platform:
            sample = await engine(certificate).measure(platform.url(host=SITE), "Mektep")
            assert [one.line.split()[1] for one in platform.asked] == ["/", "/start?x=1", "/here"]
            return sample

    assert asyncio.run(run()).redirects_count == 2


def test_a_redirect_to_another_host_of_the_site_is_followed(certificate: CertificateFiles) -> None:
    async def run() -> PageSample:
        scripts: dict[str, Script] = {"/in": answer("200 OK", PAGE)}
        async with scripted_platform(scripts, certificate) as platform:
            scripts["/"] = answer("301 Moved", b"", f"Location: https://login.{SITE}:{platform.port}/in")
            sample = await engine(certificate).measure(platform.url(host=SITE), None)
            assert platform.asked[1].headers["Host"] == f"login.{SITE}:{platform.port}"
            return sample

    assert asyncio.run(run()).redirects_count == 1


@pytest.mark.parametrize(
    ("location", "kind"),
    [
        ("http://login.hotspot.example/?from=mektep", FailureKind.CAPTIVE_PORTAL),
        ("https://192.168.1.1/login", FailureKind.CAPTIVE_PORTAL),
        ("https://hotspot/", FailureKind.CAPTIVE_PORTAL),
        ("https://other.example.org/", FailureKind.HTTP_REDIRECT),
        (f"http://{SITE}/", FailureKind.HTTP_REDIRECT),
        ("https://[/", FailureKind.PROTOCOL_ERROR),
        ("/", FailureKind.HTTP_REDIRECT),
    ],
)
def test_a_redirect_elsewhere_is_not_followed(certificate: CertificateFiles, location: str, kind: FailureKind) -> None:
    assert failure(certificate, answer("302 Found", b"", f"Location: {location}")).kind is kind


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("500 Internal Server Error", FailureKind.HTTP_SERVER_ERROR),
        ("503 Service Unavailable", FailureKind.HTTP_SERVER_ERROR),
        ("403 Forbidden", FailureKind.HTTP_FORBIDDEN),
        ("451 Unavailable For Legal Reasons", FailureKind.HTTP_LEGALLY_BLOCKED),
        ("404 Not Found", FailureKind.HTTP_CLIENT_ERROR),
        ("511 Network Authentication Required", FailureKind.CAPTIVE_PORTAL),
        ("304 Not Modified", FailureKind.PROTOCOL_ERROR),
    ],
)
def test_a_status_that_is_no_page_is_told_apart(certificate: CertificateFiles, status: str, kind: FailureKind) -> None:
    error = failure(certificate, answer(status, b"no"))
    assert error.kind is kind
    assert status.split()[0] in error.detail
    assert error.bytes_received > 0


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (stay_silent, FailureKind.STALLED),
        (trickle(0.05), FailureKind.TIMEOUT),
        (reset, FailureKind.CONNECTION_RESET),
        (say(b""), FailureKind.CLOSED_EARLY),
        (say(b"SSH-2.0-nothing\r\n\r\n"), FailureKind.PROTOCOL_ERROR),
        (say(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 40_000), FailureKind.PROTOCOL_ERROR),
        (say(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"), FailureKind.CLOSED_EARLY),
        (say(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 9), FailureKind.PROTOCOL_ERROR),
    ],
    ids=["silent", "trickle", "reset", "closed", "not-http", "endless-head", "cut-short", "only-hints"],
)
def test_a_connection_that_gives_no_page_fails_by_its_cause(
    certificate: CertificateFiles, script: Script, kind: FailureKind
) -> None:
    assert failure(certificate, script).kind is kind


def test_a_page_without_the_expected_text_is_not_the_platform(certificate: CertificateFiles) -> None:
    error = failure(certificate, answer("200 OK", b"under maintenance"), "Mektep")
    assert error.kind is FailureKind.HTTP_UNEXPECTED_CONTENT


def measured(subject: HttpEngine, target: str) -> PageSample | EngineError:
    async def run() -> PageSample | EngineError:
        try:
            return await subject.measure(target, None)
        except EngineError as error:
            return error

    return asyncio.run(run())


def kind_of(found: PageSample | EngineError) -> FailureKind | None:
    return found.kind if isinstance(found, EngineError) else None


def test_the_certificate_of_another_is_a_portals(certificate: CertificateFiles) -> None:
    async def run() -> PageSample:
        async with scripted_platform({"/": answer("200 OK", PAGE)}, certificate) as platform:
            return await engine(certificate).measure(platform.url(host="platform.example.org"), None)

    with pytest.raises(EngineError) as caught:
        asyncio.run(run())
    assert caught.value.kind is FailureKind.CAPTIVE_PORTAL


@pytest.mark.parametrize("fault", ["expired", "unknown_authority"])
def test_a_certificate_that_is_not_trusted_is_named_so(
    certificate: CertificateFiles, tmp_path: Path, fault: str
) -> None:
    ends_in = timedelta(hours=-1) if fault == "expired" else timedelta(days=1)
    served = make_certificate(tmp_path, SITE, ends_in=ends_in)
    trusted = served if fault == "expired" else certificate

    async def run() -> PageSample:
        async with scripted_platform({"/": answer("200 OK", PAGE)}, served) as platform:
            return await engine(trusted).measure(platform.url(host=SITE), None)

    with pytest.raises(EngineError) as caught:
        asyncio.run(run())
    assert caught.value.kind is FailureKind.TLS_CERTIFICATE


def test_a_slow_resolver_shows_in_the_look_up_and_nowhere_else(certificate: CertificateFiles) -> None:
    async def run() -> PageSample:
        async with scripted_platform({"/": answer("200 OK", PAGE)}, certificate) as platform:
            return await engine(certificate, LocalNames(delay_s=0.2)).measure(platform.url(host=SITE), None)

    sample = asyncio.run(run())
    assert sample.dns_lookup_ms is not None
    assert sample.tcp_connect_ms is not None
    assert sample.dns_lookup_ms >= 195
    assert sample.tcp_connect_ms < 150
    assert sample.ttfb_ms < 150


def test_a_resolver_that_does_not_answer_is_no_fault_of_the_platform(certificate: CertificateFiles) -> None:
    assert (
        kind_of(measured(engine(certificate, LocalNames(delay_s=9.0)), f"https://{SITE}/")) is FailureKind.DNS_TIMEOUT
    )


def test_a_closed_port_is_refused(certificate: CertificateFiles) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert kind_of(measured(engine(certificate), f"https://{SITE}:{port}/")) is FailureKind.CONNECTION_REFUSED


@pytest.mark.parametrize(
    ("greeting", "kind"), [(b"", FailureKind.STALLED), (b"HTTP/1.1 200\r\n", FailureKind.TLS_ERROR)]
)
def test_a_port_that_speaks_no_tls_is_told(certificate: CertificateFiles, greeting: bytes, kind: FailureKind) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept: list[socket.socket] = []

        def accept() -> None:
            link, _ = server.accept()
            link.sendall(greeting)
            kept.append(link)

        thread = threading.Thread(target=accept)
        thread.start()
        found = measured(engine(certificate), f"https://{SITE}:{server.getsockname()[1]}/")
        thread.join()
        kept[0].close()
    assert kind_of(found) is kind


@pytest.mark.skipif(len(loopbacks()) == 1, reason="this machine has no IPv6 loopback")
@pytest.mark.parametrize("served", ["127.0.0.1", "::1"])
def test_the_other_family_of_addresses_is_tried_where_one_leads_nowhere(
    certificate: CertificateFiles, served: str
) -> None:
    async def run() -> PageSample:
        names = LocalNames({SITE: at("127.0.0.1", "::1") if served == "::1" else at("::1", "127.0.0.1")})
        async with scripted_platform({"/": answer("200 OK", PAGE)}, certificate, served) as platform:
            return await engine(certificate, names).measure(platform.url(host=SITE), None)

    assert asyncio.run(run()).status == 200


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.5", "192.168.1.1", "169.254.169.254", "100.64.0.1", "::1", "fe80::1", "fd00::1"]
)
def test_an_address_that_is_not_public_is_not_contacted(certificate: CertificateFiles, address: str) -> None:
    subject = engine(certificate, LocalNames({SITE: at(address)}), local_targets=LocalTargets.REFUSED)
    error = measured(subject, f"https://{SITE}/")
    assert kind_of(error) is FailureKind.DNS_BOGUS
    assert isinstance(error, EngineError)
    assert error.bytes_sent == 0


def test_a_redirect_to_a_name_at_a_private_address_is_not_contacted(certificate: CertificateFiles) -> None:
    async def run() -> int:
        names = LocalNames({f"login.{SITE}": at("127.0.0.2")})
        subject = engine(certificate, names, local_targets=LocalTargets.REFUSED, gateway="127.0.0.1")
        scripts: dict[str, Script] = {}
        async with scripted_platform(scripts, certificate) as platform:
            scripts["/"] = answer("302 Found", b"", f"Location: https://login.{SITE}:{platform.port}/in")
            with pytest.raises(EngineError) as caught:
                await subject.measure(platform.url(host=SITE), None)
            assert caught.value.kind is FailureKind.DNS_BOGUS
            return len(platform.asked)

    assert asyncio.run(run()) == 1, "the own gateway may be asked, what stands beside it may not"


def test_a_proxy_is_used_where_the_system_names_one_and_the_reading_says_so(certificate: CertificateFiles) -> None:
    async def run() -> PageSample:
        async with (
            scripted_platform({"/": answer("200 OK", PAGE)}, certificate) as platform,
            scripted_proxy(tunnel_to(platform.port)) as proxy,
        ):
            subject = engine(certificate, proxy=f"http://kim:s%20ecret@127.0.0.1:{proxy.port}")
            sample = await subject.measure(f"https://{SITE}/", "Mektep")
            assert proxy.asked[0].line == f"CONNECT {SITE}:443 HTTP/1.1"
            assert proxy.asked[0].headers["Proxy-Authorization"] == "Basic a2ltOnMgZWNyZXQ="
            assert "Proxy-Authorization" not in platform.asked[0].headers
            assert sample.by_proxy == f"127.0.0.1:{proxy.port}"
            return sample

    sample = asyncio.run(run())
    assert sample.dns_lookup_ms is None
    assert sample.tcp_connect_ms is None
    assert sample.tls_handshake_ms > 0


@pytest.mark.parametrize(
    ("connect", "kind"),
    [
        (answer("407 Proxy Authentication Required"), FailureKind.PROXY_ERROR),
        (answer("403 Forbidden"), FailureKind.PROXY_ERROR),
        (answer("302 Found", b"", "Location: http://portal.example/"), FailureKind.CAPTIVE_PORTAL),
        (answer("511 Network Authentication Required"), FailureKind.CAPTIVE_PORTAL),
    ],
)
def test_a_proxy_that_lets_nothing_through_is_told_apart(
    certificate: CertificateFiles, connect: Script, kind: FailureKind
) -> None:
    async def run() -> FailureKind:
        async with scripted_proxy(connect) as proxy:
            with pytest.raises(EngineError) as caught:
                await engine(certificate, proxy=f"127.0.0.1:{proxy.port}").measure(f"https://{SITE}/", None)
            return caught.value.kind

    assert asyncio.run(run()) is kind


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1080", "http://127.0.0.1:1", "http://127.0.0.1:99999"])
def test_a_proxy_that_cannot_be_used_is_told_and_not_gone_around(certificate: CertificateFiles, proxy: str) -> None:
    assert kind_of(measured(engine(certificate, proxy=proxy), f"https://{SITE}/")) is FailureKind.PROXY_ERROR


def test_a_test_that_is_cancelled_leaves_no_connection(certificate: CertificateFiles) -> None:
    async def run() -> None:
        is_asked = asyncio.Event()

        async def stay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            is_asked.set()
            await stay_silent(reader, writer)

        async with scripted_platform({"/": stay}, certificate) as platform:
            running = asyncio.create_task(engine(certificate).measure(platform.url(host=SITE), None))
            await is_asked.wait()
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running

    asyncio.run(run())
