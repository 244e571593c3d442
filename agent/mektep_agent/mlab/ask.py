"""The process that asks Locate: `python -m mektep_agent.mlab.ask ADDRESS REACH` prints a `Located` as JSON.

Locate may send a client on, and every host on that way is looked up and checked as any that an assignment names: the
connection goes to an address that was checked. Where this computer's settings name a proxy, it does both.
"""

import asyncio
import ssl
import sys
from urllib.parse import urlsplit

import httpx
import msgspec
import truststore

from mektep_agent.engines.assigned import AssignedTargets, Reach
from mektep_agent.engines.engine import EngineError
from mektep_agent.engines.http.proxy import system_proxy
from mektep_agent.engines.resolve import Address
from mektep_agent.mlab.answer import Located, LocateOutcome, read_answer
from mektep_agent.mlab.locate import CLIENT_NAME
from mektep_agent.uplink.http_failure import failure_of
from mektep_wire import VERSION, FailureKind

_LOOKUP_TIMEOUT_S = 5.0
_REQUEST_TIMEOUT_S = 20.0
_MAX_ANSWER_BYTES = 262_144
_MAX_REDIRECTS_COUNT = 3
_MAX_ADDRESSES_COUNT = 3
_PORTS = {"http": 80, "https": 443}
_HEADERS = {"User-Agent": f"{CLIENT_NAME}/{VERSION}", "Accept": "application/json"}


def ask(address: str, targets: AssignedTargets) -> Located:
    """Return what Locate at `address` says, and whoever it sends on to; trouble of the network is in the answer."""
    try:
        for _ in range(_MAX_REDIRECTS_COUNT + 1):
            response = _fetched(address, targets)
            if not response.has_redirect_location:
                return _read(response)
            address = str(httpx.URL(address).join(response.headers["location"]))
    except EngineError as error:
        return _failed(error.kind, error.detail)
    except httpx.HTTPError as error:
        return _failed(failure_of(error), str(error) or type(error).__name__)
    except (httpx.InvalidURL, ValueError) as error:
        return _failed(FailureKind.PROTOCOL_ERROR, f"Locate sent on to no address: {error}")
    return _failed(FailureKind.HTTP_REDIRECT, f"Locate sent on more than {_MAX_REDIRECTS_COUNT} times")


def _fetched(address: str, targets: AssignedTargets) -> httpx.Response:
    """Return the answer, its body read up to a bound; raises EngineError and httpx.HTTPError."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    if parts.scheme not in _PORTS or not host:
        raise EngineError(FailureKind.PROTOCOL_ERROR, f"Locate cannot be at {address[:200]!r}")
    by_proxy = system_proxy(host) is not None
    verify = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with httpx.Client(timeout=_REQUEST_TIMEOUT_S, verify=verify, trust_env=by_proxy) as client:
        if by_proxy:
            return _bounded(client, client.build_request("GET", address, headers=_HEADERS))
        found = asyncio.run(targets.resolve(host, parts.port or _PORTS[parts.scheme], _LOOKUP_TIMEOUT_S))
        for one in found[:_MAX_ADDRESSES_COUNT]:
            try:
                return _bounded(client, _pinned(client, address, host, one))
            except httpx.ConnectError as error:
                trouble = error
        raise trouble


def _pinned(client: httpx.Client, address: str, host: str, at: Address) -> httpx.Request:
    """Return the request to a host at one of its addresses, with the host's name for TLS and for its server."""
    url = httpx.URL(address)
    headers = {**_HEADERS, "Host": url.netloc.decode("ascii")}
    return client.build_request("GET", url.copy_with(host=at.host), headers=headers, extensions={"sni_hostname": host})


def _bounded(client: httpx.Client, request: httpx.Request) -> httpx.Response:
    response = client.send(request, stream=True)
    try:
        body = bytearray()
        for chunk in response.iter_bytes(65_536):
            body += chunk
            if len(body) > _MAX_ANSWER_BYTES:
                break
    finally:
        response.close()
    return httpx.Response(response.status_code, headers=_bare(response), content=bytes(body), request=request)


def _bare(response: httpx.Response) -> dict[str, str]:
    return {name: response.headers[name] for name in ("location", "retry-after") if name in response.headers}


def _read(response: httpx.Response) -> Located:
    asked = response.headers.get("retry-after", "").strip()
    after_s = float(asked[:9]) if asked.isascii() and asked.isdigit() else None
    return read_answer(response.status_code, response.content, after_s)


def _failed(kind: FailureKind, detail: str) -> Located:
    return Located(outcome=LocateOutcome.FAILED, failure=kind, detail=detail[:500])


def main(arguments: list[str]) -> None:
    """Ask, and print the answer."""
    address, reach = arguments
    located = ask(address, AssignedTargets(msgspec.json.decode(reach, type=Reach)))
    sys.stdout.buffer.write(msgspec.json.encode(located))


if __name__ == "__main__":
    main(sys.argv[1:])
