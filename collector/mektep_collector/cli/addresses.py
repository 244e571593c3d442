"""Which addresses stand for what: where the collector listens, how it is reached, where schools measure to."""

import ipaddress
from urllib.parse import urlsplit

from mektep_collector.api.assignment_content import MeasuringPoints
from mektep_collector.config import Config, ConfigError, PlainHttp
from mektep_collector.config.loopback import is_loopback
from mektep_collector.measure.settings import Ready


def check_exposure(config: Config) -> None:
    """Refuse, by ConfigError, to serve tokens in the clear beyond this computer, or where nobody knows the way."""
    if config.tls_cert or is_loopback(config.host):
        return
    if config.plain_http is not PlainHttp.ANYWHERE:
        raise ConfigError(
            f"HTTP without TLS is not served on {config.host}: tokens would cross the network in the clear. "
            "Give --tls-cert and --tls-key, or put a reverse proxy with TLS in front of 127.0.0.1; "
            "for a network that nobody else is on, --insecure-http"
        )


def public_url(config: Config, port: int) -> str:
    """Return the address under which the collector is reached, without a slash at the end.

    Raises ConfigError where it listens on every address and was not told its name.
    """
    if config.public_url:
        return config.public_url.rstrip("/")
    _refuse_wildcard(config.host, "public_url")
    scheme = "https" if config.tls_cert else "http"
    return f"{scheme}://{bracketed(config.host)}:{port}"


def measuring_points(config: Config, ready: Ready | None, public: str) -> MeasuringPoints:
    """Return where schools measure to: what the operator names, else the measuring server that was started."""
    ndt7_url, echo_url = config.ndt7_url or None, config.echo_url or None
    if ready is not None:
        host = bracketed(config.measure_host or urlsplit(public).hostname or config.host)
        if ndt7_url is None and ready.ndt7_tls_port is not None:
            ndt7_url = f"wss://{host}:{ready.ndt7_tls_port}"
        ndt7_url = ndt7_url or f"ws://{host}:{ready.ndt7_port}"
        echo_url = echo_url or f"udp://{host}:{ready.echo_port}"
    return MeasuringPoints(
        ndt7_url=ndt7_url, echo_url=echo_url, dns_names=config.dns_names, platforms=config.learning_platforms()
    )


def bracketed(host: str) -> str:
    """Return a host as an address on the web has it: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def _refuse_wildcard(host: str, setting: str) -> None:
    try:
        wildcard = ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return
    if wildcard:
        raise ConfigError(f"`host` is {host}, every address of this computer: say with `{setting}` how it is reached")
