"""LibreSpeed's own command-line client (Go, LGPL), built from its published module into `.cache/` and never shipped."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from tests.support.links.namespace import Host
from tests.support.peers.costed import costed, result
from tests.support.peers.result import CACHE, PeerMissingError, PeerRun, run_inside

MODULE = "github.com/librespeed/speedtest-cli"
VERSION = "v1.0.11"
_PLACE = CACHE / "librespeed_cli" / VERSION
_BUILD_TIMEOUT_S = 170
_GRACE_S = 40.0


def run(host: Host | None, server: str, duration_s: int = 15) -> PeerRun:
    """Run it against `http://host:port` of a measuring server; builds it first.

    Raises PeerMissingError, CalledProcessError.
    """
    program()
    return run_inside(host, "librespeed_cli", [server, str(duration_s)], 2 * duration_s + _GRACE_S)


def program() -> str:
    """Return the client, built once; raises PeerMissingError."""
    built = _PLACE / "speedtest-cli"
    if built.exists():
        return str(built)
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if go is None:
        raise PeerMissingError("LibreSpeed's client is built by Go: install Go 1.22 or later")
    _PLACE.mkdir(parents=True, exist_ok=True)
    # `go install` asks for the list of versions, which not every module proxy has.
    found = json.loads(_go(go, "mod", "download", "-json", f"{MODULE}@{VERSION}"))
    _go(go, "build", "-C", found["Dir"], "-o", str(built), ".")
    return str(built)


def _go(go: str, *words: str) -> str:
    environment = {**os.environ, "GOFLAGS": "-buildvcs=false"}
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run(
                [go, *words],
                capture_output=True,
                text=True,
                check=False,
                timeout=_BUILD_TIMEOUT_S,
                env=environment,
                cwd=folder,
            )
        except subprocess.TimeoutExpired:
            raise PeerMissingError(f"Go did not build LibreSpeed's client within {_BUILD_TIMEOUT_S} s") from None
    if done.returncode != 0:
        told = (done.stderr or done.stdout).strip()[-500:]
        raise PeerMissingError(f"Go could not build LibreSpeed's client: {told}")
    return done.stdout


def _main(server: str, duration_s: int) -> None:
    listed = {
        "id": 1,
        "name": "under test",
        "server": f"{server}/backend/",
        "dlURL": "garbage.php",
        "ulURL": "empty.php",
        "pingURL": "empty.php",
        "getIpURL": "getIP.php",
    }
    with tempfile.TemporaryDirectory() as folder:
        servers = Path(folder) / "servers.json"
        servers.write_text(json.dumps([listed]))
        words = [program(), "--local-json", str(servers), "--duration", str(duration_s), "--no-icmp", "--json"]
        printed, cpu_s, rss_bytes = costed(words, os.environ, 2 * duration_s + _GRACE_S)
    told = json.loads(printed)[0]
    ran = result(told["download"] * 1e6, told["upload"] * 1e6, cpu_s, rss_bytes)
    sys.stdout.write(msgspec.json.encode(ran).decode())


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]))
