"""M-Lab's JavaScript client as a peer: where it is installed, and the command that runs it.

The packages come by `npm ci` from the lock beside this file into `.cache/`, and are never part of the repository.
"""

import shutil
import subprocess
from pathlib import Path

import msgspec

_HERE = Path(__file__).parent
_PLACE = Path(__file__).parents[3] / ".cache" / "mlab_ndt7"
_INSTALL_TIMEOUT_S = 120
_NODE_LEAST_MAJOR = 18


class PeerMissingError(Exception):
    """M-Lab's client cannot run on this machine; the message says what is missing."""


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """What the client says of one direction."""

    server_messages: int
    client_messages: int
    client_mbps: float | None
    """Bytes as the client counted them, over its time."""
    server_mbps: float | None
    """The server's TCP_INFO in its last message: acknowledged (download) or received (upload) bytes over its time."""
    last_server_measurement: dict[str, object] | None


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What `measure.mjs` prints. `download_mbps` and `upload_mbps` are the figures that M-Lab shows."""

    code: int
    errors: list[str]
    download_mbps: float | None
    upload_mbps: float | None
    download: Transfer | None = None
    upload: Transfer | None = None


def command(server: str, protocol: str = "ws", directions: str = "both") -> list[str]:
    """Return the words that run the client against `host:port`; installs it first. Raises PeerMissingError.

    The command prints one line of JSON (`decode`), and ends with 0 when the client was content. For a certificate
    that the system does not trust, set NODE_EXTRA_CA_CERTS to its file.
    """
    node = shutil.which("node")
    if node is None:
        raise PeerMissingError("M-Lab's client needs Node: install the packages nodejs and npm")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True, timeout=20).stdout
    if int(version.lstrip("v").split(".")[0]) < _NODE_LEAST_MAJOR:
        raise PeerMissingError(f"M-Lab's client needs Node {_NODE_LEAST_MAJOR}, here is {version.strip()}")
    _install()
    return [node, str(_HERE / "measure.mjs"), str(_PLACE), server, protocol, directions]


def decode(printed: str) -> Result:
    """Return what the client printed."""
    return msgspec.json.decode(printed, type=Result)


def _install() -> None:
    lock = (_HERE / "package-lock.json").read_bytes()
    installed = _PLACE / "installed-lock.json"
    if installed.exists() and installed.read_bytes() == lock:
        return
    npm = shutil.which("npm")
    if npm is None:
        raise PeerMissingError("M-Lab's client is installed by npm: install the package npm")
    _PLACE.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(_HERE / name, _PLACE / name)
    words = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(
        words, cwd=_PLACE, capture_output=True, text=True, check=False, timeout=_INSTALL_TIMEOUT_S
    )  # fmt: skip
    if done.returncode != 0:
        raise PeerMissingError(f"npm could not install M-Lab's client: {done.stderr.strip()[-500:]}")
    installed.write_bytes(lock)
