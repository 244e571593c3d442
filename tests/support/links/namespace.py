"""Hosts of a laboratory: network namespaces with a name that says which process made them, so that none is left over.

A process that is killed cannot tidy up; the next laboratory removes the namespaces of makers that no longer live.
"""

import os
import secrets
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from tests.support.links.error import LaboratoryError

PREFIX = "mektep-lab"
FOLDER = Path("/run/netns")
COMMAND_TIMEOUT_S = 60
END_TIMEOUT_S = 3
LISTENER_TIMEOUT_S = 60.0
LOOK_S = 0.02


def ip_command(*words: str) -> str:
    """Run iproute2's `ip` and return what it said; raises LaboratoryError."""
    done = subprocess.run(["ip", *words], capture_output=True, text=True, timeout=COMMAND_TIMEOUT_S, check=False)
    if done.returncode != 0:
        raise LaboratoryError(f"`ip {' '.join(words)}` failed: {done.stderr.strip()}")
    return done.stdout


def _birth(pid: int) -> str | None:
    """When the process began, in clock ticks since boot: with its number it names a process for good."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rpartition(")")[2].split()[19]


def fresh_prefix() -> str:
    """Return a name that no other laboratory of this machine has, for the names of its hosts."""
    pid = os.getpid()
    return f"{PREFIX}-{pid}-{_birth(pid)}-{secrets.token_hex(4)}"


def remove_leftovers() -> list[str]:
    """Remove the hosts whose maker is gone, with the processes in them; return their names."""
    gone = []
    for path in FOLDER.glob(f"{PREFIX}-*"):
        _, _, pid, birth, _ = path.name.split("-", 4)
        if _birth(int(pid)) != birth:
            _remove(path.name)
            gone.append(path.name)
    return gone


def _processes(name: str) -> list[int]:
    try:
        return [int(word) for word in ip_command("netns", "pids", name).split()] if (FOLDER / name).exists() else []
    except LaboratoryError:
        # Another laboratory that cleared the same leftovers was faster.
        if (FOLDER / name).exists():
            raise
        return []


def _remove(name: str) -> None:
    """End what runs in the namespace and delete it. Its devices go with it; another laboratory may have been faster."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline_s = time.monotonic() + END_TIMEOUT_S
        for pid in _processes(name):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue
        while _living(name) and time.monotonic() < deadline_s:
            time.sleep(LOOK_S)
        if not _living(name):
            break
    try:
        ip_command("netns", "delete", name)
    except LaboratoryError:
        if (FOLDER / name).exists():
            raise


def _living(name: str) -> bool:
    return any("Z" not in _state(pid) for pid in _processes(name))


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "Z"


class Host:
    """A computer of the laboratory: runs programs that see its interfaces and no others."""

    def __init__(self, name: str, title: str) -> None:
        """Make the namespace, with a loopback that works and kernel settings that are the same on every machine."""
        self.name = name
        self.title = title
        self.ipv4 = ""
        self.ipv6 = ""
        self._children: list[subprocess.Popen[str]] = []
        ip_command("netns", "add", name)
        try:
            self.ip("link", "set", "lo", "up")
            # A kernel that remembers the last connection's window would make the second of two equal tests differ.
            self.set("net.ipv4.tcp_no_metrics_save", "1")
            self.set("net.ipv6.conf.default.accept_dad", "0")
            self.set("net.ipv6.conf.default.addr_gen_mode", "1")
            self.set("net.ipv6.conf.default.router_solicitations", "0")
        except BaseException:
            self.close()
            raise

    @property
    def path(self) -> Path:
        """The file that stands for the namespace."""
        return FOLDER / self.name

    def close(self) -> None:
        """End every process in it and remove it."""
        for child in self._children:
            if child.poll() is None:
                child.terminate()
        _remove(self.name)
        for child in self._children:
            child.wait(END_TIMEOUT_S)
            for pipe in (child.stdin, child.stdout, child.stderr):
                if pipe is not None:
                    pipe.close()

    def command(self, words: Sequence[str]) -> list[str]:
        """Return the command that runs `words` in this host. It replaces itself, so its process is that of `words`."""
        return ["ip", "netns", "exec", self.name, *words]

    def run(
        self, words: Sequence[str], *, timeout_s: float = COMMAND_TIMEOUT_S, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end and return what it said; raises CalledProcessError, TimeoutExpired."""
        return subprocess.run(self.command(words), capture_output=True, text=True, timeout=timeout_s, check=check)

    def popen(
        self,
        words: Sequence[str],
        *,
        stdout: int | IO[str] = subprocess.DEVNULL,
        stderr: int | IO[str] = subprocess.DEVNULL,
        env: dict[str, str] | None = None,
    ) -> subprocess.Popen[str]:
        """Start a program, unheard unless told otherwise. The laboratory ends it, if nobody did before."""
        child = subprocess.Popen(
            self.command(words), stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, text=True, env=env
        )
        self._children.append(child)
        return child

    def await_listener(self, port: int, *, timeout_s: float = LISTENER_TIMEOUT_S) -> None:
        """Wait until a program of this host listens on a TCP or UDP port; raises LaboratoryError if none does."""
        deadline_s = time.monotonic() + timeout_s
        while not self.run(["ss", "--no-header", "--listening", "--tcp", "--udp", f"sport = :{port}"]).stdout.strip():
            if time.monotonic() > deadline_s:
                raise LaboratoryError(f"nothing listens on port {port} in {self.title} after {timeout_s} s")
            time.sleep(LOOK_S)

    def ip(self, *words: str) -> str:
        """Run `ip` in this host; raises LaboratoryError."""
        return ip_command("-netns", self.name, *words)

    def set(self, key: str, value: str) -> None:
        """Set a kernel parameter, such as net.ipv4.tcp_rmem, of this host alone; raises LaboratoryError."""
        path = "/proc/sys/" + key.replace(".", "/")
        done = subprocess.run(
            self.command(["tee", path]),
            input=value,
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
        if done.returncode != 0:
            raise LaboratoryError(f"{key} cannot be set to {value!r} in {self.title}: {done.stderr.strip()}")

    def get(self, key: str) -> str:
        """Return a kernel parameter of this host; raises CalledProcessError."""
        return self.run(["cat", "/proc/sys/" + key.replace(".", "/")]).stdout.strip()
