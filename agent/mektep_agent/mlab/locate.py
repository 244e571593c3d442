"""Asking M-Lab's Locate for a server, in a process of its own: the daemon must not carry an HTTP client.

That process is `ask`. What is told to Locate is the program's name and version, and nothing of the school or the
device.
"""

import asyncio
import os
import subprocess
import sys
from contextlib import suppress
from urllib.parse import urlencode, urlsplit

import msgspec

from mektep_agent.engines.assigned import Reach
from mektep_agent.mlab.answer import Located, LocateOutcome
from mektep_agent.mlab.consent import Consent
from mektep_wire import VERSION, FailureKind

CLIENT_NAME = "mektep-meter"
_PROCESS_TIMEOUT_S = 45.0


def is_locate(target: str) -> bool:
    """Tell whether a throughput target is M-Lab's Locate, or one that speaks like it, and no server itself."""
    parts = urlsplit(target)
    return parts.scheme in {"http", "https"} and parts.path.startswith("/v2/")


def locate_url(target: str) -> str:
    """Return the address to ask, with all the metadata that there is."""
    return f"{target}?{urlencode({'client_name': CLIENT_NAME, 'client_version': VERSION})}"


async def locate(target: str, consent: Consent, reach: Reach) -> Located:
    """Ask Locate at `target` for a server, which `consent` allows. Trouble of the network is in the answer.

    `reach` is what may be asked and sent on to beside public addresses.
    """
    if not isinstance(consent, Consent):
        raise TypeError("Locate is asked with a consent alone")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "mektep_agent.mlab.ask", locate_url(target), msgspec.json.encode(reach).decode()),
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
