"""A line between two programs on this machine that does harm on order, connection by connection."""

import socket
import struct
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from random import Random

_RESET = struct.pack("ii", 1, 0)
_DEADLINE_S = 20.0
_SLICE_BYTES = 900
_SLOW_BYTES_PER_S = 40_000


class Harm(StrEnum):
    """What happens to a connection."""

    NONE = "none"
    REFUSE = "refuse"
    """It is reset before anything passes."""
    CUT_REQUEST = "cut_request"
    """Half of what is sent passes, then it is reset."""
    LOSE_REPLY = "lose_reply"
    """The request passes and is answered; it is reset before the answer does."""
    CUT_REPLY = "cut_reply"
    """Half of the answer passes, then it is reset."""
    SPOIL = "spoil"
    """A byte of what is sent, behind the head, is another one when it arrives."""
    SLICE = "slice"
    """All passes in small pieces."""
    SLOW = "slow"
    """All passes at a few tens of kilobytes a second."""
    SLOW_CLOSE = "slow_close"
    """All passes; the end of the connection comes late."""


class FaultProxy:
    """Passes connections on to `target_port`, the next one with `harm`; that is taken back with each connection.

    Where `harms` are given, each connection that has none ordered suffers one of them, drawn by `random`.
    """

    def __init__(self, random: Random, harms: Sequence[Harm] = (Harm.NONE,)) -> None:
        self.target_port = 0
        self._harms = harms
        self.harm = Harm.NONE
        self.harmed_count = 0
        self._random = random
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept, name="fault-proxy")
        self._accepting.start()

    def close(self) -> None:
        """End; all connections have ended when this returns."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join(_DEADLINE_S)
        for thread in self._threads:
            thread.join(_DEADLINE_S)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            harm, self.harm = self.harm, Harm.NONE
            if harm is Harm.NONE:
                harm = self._random.choice(self._harms)
            self.harmed_count += harm is not Harm.NONE
            thread = threading.Thread(target=self._pass_on, args=(client, harm), name=f"fault-proxy-{harm}")
            self._threads = [each for each in self._threads if each.is_alive()] + [thread]
            thread.start()

    def _pass_on(self, client: socket.socket, harm: Harm) -> None:
        client.settimeout(_DEADLINE_S)
        with client, suppress(OSError):
            if harm is Harm.REFUSE:
                _reset(client)
                return
            with socket.create_connection(("127.0.0.1", self.target_port), _DEADLINE_S) as server:
                while self._exchange(client, server, harm):
                    pass
            if harm is Harm.SLOW_CLOSE:
                time.sleep(0.2)

    def _exchange(self, client: socket.socket, server: socket.socket, harm: Harm) -> bool:
        """Pass one request and its answer; False where the connection is over."""
        request = _message(client)
        if request is None:
            return False
        if harm is Harm.CUT_REQUEST:
            server.sendall(request[: self._random.randrange(len(request))])
            _reset(server)
            _reset(client)
            return False
        if harm is Harm.SPOIL:
            head = request.index(b"\r\n\r\n") + 4
            at = self._random.randrange(head, len(request)) if head < len(request) else head - 5
            request = request[:at] + bytes([request[at] ^ 0x55]) + request[at + 1 :]
        _send(server, request, harm)
        answer = _message(server)
        if answer is None or harm is Harm.LOSE_REPLY:
            _reset(client)
            return False
        if harm is Harm.CUT_REPLY:
            client.sendall(answer[: self._random.randrange(len(answer))])
            _reset(client)
            return False
        _send(client, answer, harm)
        return True


@contextmanager
def fault_proxy(random: Random, harms: Sequence[Harm] = (Harm.NONE,)) -> Generator[FaultProxy, None, None]:
    """Run one for the time of the block."""
    proxy = FaultProxy(random, harms)
    try:
        yield proxy
    finally:
        proxy.close()


def _message(peer: socket.socket) -> bytes | None:
    """Return a whole message of HTTP/1.1 with its length told in the head; None where the peer left."""
    got = b""
    while b"\r\n\r\n" not in got:
        piece = peer.recv(1 << 16)
        if not piece:
            return None
        got += piece
    head = got.index(b"\r\n\r\n") + 4
    length = 0
    for line in got[:head].lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    while len(got) < head + length:
        piece = peer.recv(1 << 16)
        if not piece:
            return None
        got += piece
    return got


def _send(peer: socket.socket, message: bytes, harm: Harm) -> None:
    if harm not in (Harm.SLICE, Harm.SLOW):
        peer.sendall(message)
        return
    for at in range(0, len(message), _SLICE_BYTES):
        piece = message[at : at + _SLICE_BYTES]
        peer.sendall(piece)
        if harm is Harm.SLOW:
            time.sleep(len(piece) / _SLOW_BYTES_PER_S)


def _reset(peer: socket.socket) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    peer.close()
