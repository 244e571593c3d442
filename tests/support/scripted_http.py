"""A real HTTP server on this machine that does to each connection what a script says, right or wrong."""

import socket
import struct
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

_RESET = struct.pack("ii", 1, 0)
_DEADLINE_S = 10.0


class Peer:
    """One connection, seen from the server."""

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(_DEADLINE_S)
        self.connection = connection

    def hear(self) -> bytes:
        """Return the head of a request; raises ConnectionError where none comes whole."""
        head = b""
        while b"\r\n\r\n" not in head:
            piece = self.connection.recv(4_096)
            if not piece:
                raise ConnectionError
            head += piece
        return head

    def say(self, data: bytes) -> None:
        """Send."""
        self.connection.sendall(data)

    def await_end(self) -> None:
        """Read until the client ends the connection."""
        while self.connection.recv(1 << 16):
            pass

    def reset(self) -> None:
        """Break the connection off."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.connection.close()


@contextmanager
def scripted_http(script: Callable[[Peer], None]) -> Generator[str, None, None]:
    """Serve for the time of the block; yield the address. Every thread has ended afterwards."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []
    defects: list[BaseException] = []

    def converse(connection: socket.socket) -> None:
        with connection, suppress(OSError):  # the client leaves when it has seen enough
            try:
                script(Peer(connection))
            except OSError:
                raise
            except BaseException as error:  # noqa: BLE001 (raised where the server was opened)
                defects.append(error)

    def accept() -> None:
        with suppress(OSError):  # the listener was closed
            while True:
                connection, _ = listener.accept()
                thread = threading.Thread(target=converse, args=(connection,))
                threads.append(thread)
                thread.start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join(_DEADLINE_S)
        for thread in threads:
            thread.join(_DEADLINE_S)
        assert not any(thread.is_alive() for thread in threads)
    if defects:
        raise defects[0]
