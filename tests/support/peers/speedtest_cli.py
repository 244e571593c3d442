"""The real `speedtest-cli --mini`, which asks speedtest.net for its settings even then: here a proxy answers for it.

The proxy lives in the process beside the program, in the same host, and only www.speedtest.net goes through it.
"""

import json
import os
import shutil
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from tests.support.links.namespace import Host
from tests.support.peers.costed import costed, result
from tests.support.peers.result import PeerMissingError, PeerRun, run_inside

_GRACE_S = 40.0


def run(host: Host | None, server: str, duration_s: int = 10) -> PeerRun:
    """Run it against `http://host:port` of a measuring server; raises PeerMissingError, CalledProcessError."""
    program()
    return run_inside(host, "speedtest_cli", [server, str(duration_s)], 2 * duration_s + _GRACE_S)


def program() -> str:
    """Return where speedtest-cli is installed; raises PeerMissingError."""
    beside = Path(sys.executable).with_name("speedtest-cli")
    found = str(beside) if beside.exists() else shutil.which("speedtest-cli")
    if found is None:
        raise PeerMissingError("speedtest-cli is missing: install the extra `speedtest`")
    return found


def _settings(duration_s: int) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><settings>'
        '<client ip="127.0.0.1" lat="51.1" lon="71.4" isp="none" />'
        '<server-config threadcount="4" ignoreids="" />'
        f'<download testlength="{duration_s}" threadsperurl="4" />'
        f'<upload testlength="{duration_s}" ratio="5" maxchunkcount="50" threads="2" />'
        "</settings>"
    ).encode()


def _proxy(duration_s: int) -> ThreadingHTTPServer:
    body = _settings(duration_s)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = urlsplit(self.path).path.endswith("speedtest-config.php")
            self.send_response(200 if known else 404)
            self.send_header("Content-Length", str(len(body) if known else 0))
            self.end_headers()
            self.wfile.write(body if known else b"")

        def log_message(self, format: str, *words: object) -> None:
            return

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


def _main(server: str, duration_s: int) -> None:
    proxy = _proxy(duration_s)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    environment = {
        **os.environ,
        "http_proxy": f"http://127.0.0.1:{proxy.server_address[1]}",
        "no_proxy": urlsplit(server).hostname or "",
    }
    words = [program(), "--mini", f"{server}/mini/", "--json"]
    printed, cpu_s, rss_bytes = costed(words, environment, 2 * duration_s + _GRACE_S)
    told = json.loads(printed)
    ran = result(told["download"], told["upload"], cpu_s, rss_bytes)
    sys.stdout.write(msgspec.json.encode(ran).decode())
    proxy.shutdown()


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]))
