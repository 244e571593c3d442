"""Asking M-Lab's Locate for a server, in a process of its own: the daemon must not carry an HTTP client.

`python -m mektep_agent.mlab.locate URL` prints a `Located` as JSON. What is told to Locate is the program's name
and version, and nothing of the school or the device.
"""

import asyncio
import os
import ssl
import subprocess
import sys
from contextlib import suppress
from urllib.parse import urlencode, urlsplit

import msgspec

from mektep_agent.mlab.answer import Located, LocateOutcome, read_answer
from mektep_agent.mlab.consent import Consent
from mektep_wire import VERSION, FailureKind

CLIENT_NAME = "mektep-meter"
_REQUEST_TIMEOUT_S = 20.0
_PROCESS_TIMEOUT_S = 45.0
_MAX_ANSWER_BYTES = 262_144
_MAX_REDIRECTS_COUNT = 3


def is_locate(target: str) -> bool:
    """Tell whether a throughput target is M-Lab's Locate, or one that speaks like it, and no server itself."""
    parts = urlsplit(target)
    return parts.scheme in {"http", "https"} and parts.path.startswith("/v2/")


def locate_url(target: str) -> str:
    """Return the address to ask, with all the metadata that there is."""
    return f"{target}?{urlencode({'client_name': CLIENT_NAME, 'client_version': VERSION})}"


async def locate(target: str, consent: Consent) -> Located:
    """Ask Locate at `target` for a server, which `consent` allows. Trouble of the network is in the answer."""
    if not isinstance(consent, Consent):
        raise TypeError("Locate is asked with a consent alone")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "mektep_agent.mlab.locate", locate_url(target)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=os.name == "posix",
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    try:
        async with asyncio.timeout(_PROCESS_TIMEOUT_S):
            output, errors = await process.communicate()
    except TimeoutError:
        return Located(outcome=LocateOutcome.FAILED, failure=FailureKind.TIMEOUT, detail="Locate did not answer")
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
    if process.returncode != 0:
        raise RuntimeError(f"asking Locate failed: {errors.decode('utf-8', 'replace').strip()[-500:]}")
    return msgspec.json.decode(output, type=Located)


def main(arguments: list[str]) -> int:
    """Ask, and print the answer; return the exit code."""
    # For this process alone: the daemon imports this module and must not carry them.
    import httpx
    import truststore

    from mektep_agent.uplink.http_failure import failure_of

    verify: ssl.SSLContext | bool = False
    if arguments[0].startswith("https:"):
        verify = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    headers = {"User-Agent": f"{CLIENT_NAME}/{VERSION}", "Accept": "application/json"}
    try:
        with (
            httpx.Client(
                timeout=_REQUEST_TIMEOUT_S, verify=verify, follow_redirects=True, max_redirects=_MAX_REDIRECTS_COUNT
            ) as client,
            client.stream("GET", arguments[0], headers=headers) as response,
        ):
            body = bytearray()
            for chunk in response.iter_bytes(65_536):
                body += chunk
                if len(body) > _MAX_ANSWER_BYTES:
                    break
            asked = response.headers.get("retry-after", "").strip()
            located = read_answer(
                response.status_code, bytes(body), float(asked[:9]) if asked.isascii() and asked.isdigit() else None
            )
    except httpx.HTTPError as error:
        detail = (str(error) or type(error).__name__)[:500]
        located = Located(outcome=LocateOutcome.FAILED, failure=failure_of(error), detail=detail)
    sys.stdout.buffer.write(msgspec.json.encode(located))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
