"""A name server (RFC 1035) that knows one name's IPv4 address, to be switched off in the middle of a test."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_HEADER = struct.Struct("!6H")
_QUESTION_TAIL_BYTES = 4
_ADDRESS = 1
_POINTER_TO_NAME = 0xC00C
_LOOK_S = 0.05


class NameServer:
    """Answers while `is_answering`, else leaves every question unanswered."""

    def __init__(self, opened: socket.socket, name: str, address: str) -> None:
        self.is_answering = True
        self._socket = opened
        self._name = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"
        self._address = socket.inet_aton(address)
        self._ended = threading.Event()

    def serve(self) -> None:
        """Serve until `end`."""
        self._socket.settimeout(_LOOK_S)
        while not self._ended.is_set():
            try:
                question, asker = self._socket.recvfrom(512)
            except TimeoutError:
                continue
            if self.is_answering:
                self._socket.sendto(self._answer(question), asker)

    def end(self) -> None:
        """Let `serve` return."""
        self._ended.set()

    def _answer(self, question: bytes) -> bytes:
        number = _HEADER.unpack_from(question)[0]
        end = _HEADER.size + question[_HEADER.size :].index(b"\0") + 1
        asked, kind = question[_HEADER.size : end], struct.unpack_from("!H", question, end)[0]
        is_known = asked.lower() == self._name
        answers = [self._address] if is_known and kind == _ADDRESS else []
        flags = 0x8580 if is_known else 0x8583
        records = [struct.pack("!HHHIH", _POINTER_TO_NAME, _ADDRESS, 1, 0, 4) + address for address in answers]
        head = _HEADER.pack(number, flags, 1, len(records), 0, 0)
        return head + question[_HEADER.size : end + _QUESTION_TAIL_BYTES] + b"".join(records)


@contextmanager
def name_server(at: str, name: str, address: str) -> Iterator[NameServer]:
    """Serve on port 53 of `at` for the time of the block."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind((at, 53))
        server = NameServer(opened, name, address)
        thread = threading.Thread(target=server.serve)
        thread.start()
        try:
            yield server
        finally:
            server.end()
            thread.join()
