"""The process that measures: speedtest-cli as a library, held to limits and watched.

It is started by the engine alone, with an order as its one argument. speedtest-cli keeps up to 180 MB of payload in
memory and asks speedtest.net for its settings even for a Mini server; both are replaced here, in a process of their
own, and nothing else of it is.
"""

import json
import os
import socket
import sys
import threading
import time
import urllib.error
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
import speedtest  # type: ignore[import-untyped]

from mektep_agent.engines.speedtest.talk import Began, Ended, Failed, Line, Moved, Order
from mektep_agent.engines.speedtest.watch import Watch, watched
from mektep_wire import Direction, FailureKind

_LOOK_S: Final = 0.1
_STACK_BYTES: Final = 1 << 19
_NICENESS: Final = 10
_BLOCK: Final = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ" * 4_096
_FIRST: Final = b"content1="
_PICTURE_SIDES: Final = [350, 500, 750, 1000, 1500, 2000, 2500, 3000, 3500, 4000]
_LONG_POST_BYTES: Final = 7_340_032
_SHORT_POST_BYTES: Final = 262_144
_POSTS_COUNT: Final = 2_000
_PICTURES_COUNT: Final = 20
_DETAIL_LETTERS: Final = 300


class _Over:
    """The event that stops speedtest-cli, in the words that it asks for."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def isSet(self) -> bool:
        """Tell whether it is time to stop."""
        return self._event.is_set()

    def set(self) -> None:
        """Stop."""
        self._event.set()

    def wait(self, timeout_s: float) -> bool:
        """Wait until it is time to stop, so long at most."""
        return self._event.wait(timeout_s)


class _MiniSpeedtest(speedtest.Speedtest):  # type: ignore[misc]
    """speedtest-cli for a Mini server: speedtest.net is not asked for anything."""

    def get_config(self) -> dict[str, Any]:
        """Return settings as speedtest.net gives them."""
        self.lat_lon = (0.0, 0.0)
        self.config.update(
            {
                "client": {"ip": "", "lat": "0", "lon": "0"},
                "ignore_servers": [],
                "sizes": {"upload": [], "download": _PICTURE_SIDES},
                "counts": {"upload": 0, "download": _PICTURES_COUNT},
                "threads": {"upload": 1, "download": 4},
                "length": {"upload": 10, "download": 10},
                "upload_max": 0,
            }
        )
        return self.config  # type: ignore[no-any-return]


class _Downloader(speedtest.HTTPDownloader):  # type: ignore[misc]
    """A download thread whose count can be read while it runs."""

    all_of_them: "list[_Downloader]"

    def __init__(self, *words: Any, **named: Any) -> None:  # noqa: ANN401 (speedtest-cli's own)
        super().__init__(*words, **named)
        self.all_of_them.append(self)


class _Uploader(speedtest.HTTPUploader):  # type: ignore[misc]
    """An upload thread that tells whether the server has answered."""

    all_of_them: "list[_Uploader]"

    def __init__(self, *words: Any, **named: Any) -> None:  # noqa: ANN401 (speedtest-cli's own)
        super().__init__(*words, **named)
        self.all_of_them.append(self)

    @property
    def answered_bytes(self) -> int:
        """The payload of its request, once the server has answered."""
        return self.result if self.result == self.size else 0


class _UploadData(speedtest.HTTPUploaderData):  # type: ignore[misc]
    """The body of an upload, made as it is read, instead of megabytes that stay."""

    _at = 0

    def pre_allocate(self) -> None:
        """Do nothing: there is nothing to hold."""

    def read(self, n: int = 10_240) -> bytes:
        """Return the next bytes; raises SpeedtestUploadTimeout at the end of the test."""
        if time.perf_counter() - self.start > self.timeout or self._shutdown_event.isSet():
            raise speedtest.SpeedtestUploadTimeout
        size = min(n, self.length - self._at)
        piece = (_FIRST + _BLOCK)[:size] if self._at == 0 else _BLOCK[:size]
        self._at += size
        self.total.append(size)
        return piece


def main() -> None:
    """Do as the order says, and tell on standard output."""
    order = msgspec.json.decode(sys.argv[1], type=Order)
    _hold_back(order)
    over = _Over()
    threading.Thread(target=_stop_at_end_of_input, args=(over,), daemon=True).start()
    try:
        _measure(order, over)
    except (speedtest.SpeedtestException, OSError) as error:
        _say(_failure(error))
    except MemoryError:
        _say(Failed(kind=FailureKind.ENGINE_UNAVAILABLE, detail="speedtest-cli wanted more memory than it may have"))


def _hold_back(order: Order) -> None:
    """Give this process its limits, where the system knows such."""
    threading.stack_size(_STACK_BYTES)
    if sys.platform != "win32":
        import resource  # POSIX alone has it

        resource.setrlimit(resource.RLIMIT_AS, (order.memory_bytes, order.memory_bytes))
        resource.setrlimit(resource.RLIMIT_CPU, (order.cpu_s, order.cpu_s))
        os.nice(_NICENESS)


def _stop_at_end_of_input(over: _Over) -> None:
    while sys.stdin.buffer.read(1):
        pass
    over.set()


def _measure(order: Order, over: _Over) -> None:
    if order.mini_url:
        _knock(order)
    watch = Watch()
    _Downloader.all_of_them, _Uploader.all_of_them = [], []
    speedtest.HTTPDownloader = _Downloader
    speedtest.HTTPUploader = _Uploader
    speedtest.HTTPUploaderData = _UploadData
    speedtest.SpeedtestHTTPConnection = watched(speedtest.SpeedtestHTTPConnection, watch)
    speedtest.SpeedtestHTTPSConnection = watched(speedtest.SpeedtestHTTPSConnection, watch)
    kind = _MiniSpeedtest if order.mini_url else speedtest.Speedtest
    is_secure = not order.mini_url or order.mini_url.startswith("https://")
    test = kind(timeout=order.timeout_s, secure=is_secure, shutdown_event=over)
    test.config["length"] = {"upload": order.duration_s, "download": order.duration_s}
    # Each post is a connection of its own, and begins slowly: long ones are the line's own rate. But where only answers
    # count, a slow line must be able to end some.
    post_bytes = _LONG_POST_BYTES if sys.platform == "linux" else _SHORT_POST_BYTES
    test.config["sizes"]["upload"], test.config["counts"]["upload"] = [post_bytes], _POSTS_COUNT
    test.config["upload_max"] = _POSTS_COUNT
    if order.mini_url:
        test.get_best_server(test.set_mini_server(order.mini_url))
    else:
        test.get_servers()
        test.get_best_server()
    if test.results.ping >= order.timeout_s * 1e3:
        raise speedtest.SpeedtestBestServerFailure(f"{test.best['url']} does not answer as a speedtest server does")
    base_bytes = watch.acked_bytes()
    _say(Began(server=str(test.best["url"])))
    began_s = time.perf_counter()
    is_done = threading.Event()
    telling = threading.Thread(target=_tell, args=(order, watch, base_bytes, began_s, is_done), daemon=True)
    telling.start()
    if order.direction is Direction.DOWNLOAD:
        test.download(threads=order.streams_count)
    else:
        test.upload(pre_allocate=False, threads=order.streams_count)
    is_done.set()
    telling.join()
    carried = watch.link_bytes()
    sent_bytes, received_bytes = carried if carried is not None else (None, None)
    _say(Ended(sent_bytes=sent_bytes, received_bytes=received_bytes))


def _knock(order: Order) -> None:
    """Connect once, as speedtest-cli does not say why it could not; raises OSError."""
    parts = urlsplit(order.mini_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    socket.create_connection((parts.hostname or "", port), timeout=order.timeout_s).close()


def _tell(order: Order, watch: Watch, base_bytes: int, began_s: float, is_done: threading.Event) -> None:
    """Say every 100 ms how much has arrived, until the transfer's time is over."""
    next_s = began_s + _LOOK_S
    is_last = False
    while not is_last:
        is_last = is_done.wait(max(0.0, next_s - time.perf_counter()))
        elapsed_s = time.perf_counter() - began_s
        next_s += _LOOK_S
        if elapsed_s > order.duration_s + _LOOK_S:
            return
        if order.direction is Direction.DOWNLOAD:
            total_bytes = sum(sum(one.result) for one in list(_Downloader.all_of_them))
        elif watch.can_tell:
            total_bytes = watch.acked_bytes() - base_bytes
        else:
            total_bytes = sum(one.answered_bytes for one in list(_Uploader.all_of_them))
        _say(Moved(elapsed_s, max(0, total_bytes)))


def _say(line: Line) -> None:
    sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
    sys.stdout.flush()


def _failure(error: BaseException) -> Failed:
    """Return what a failure of speedtest-cli means: it wraps the system's own error."""
    cause: BaseException = error
    while cause.args and isinstance(cause.args[0], BaseException):
        cause = cause.args[0]
    if isinstance(cause, urllib.error.URLError) and isinstance(cause.reason, BaseException):
        cause = cause.reason
    kind = FailureKind.PROTOCOL_ERROR
    if isinstance(cause, urllib.error.HTTPError):
        kind = FailureKind.HANDSHAKE_REFUSED
    elif isinstance(cause, socket.gaierror):
        kind = FailureKind.DNS_ERROR
    elif isinstance(cause, TimeoutError):
        kind = FailureKind.CONNECT_TIMEOUT
    elif isinstance(cause, ConnectionRefusedError):
        kind = FailureKind.CONNECTION_REFUSED
    elif isinstance(cause, ConnectionError):
        kind = FailureKind.CONNECTION_RESET
    elif isinstance(cause, OSError):
        kind = FailureKind.NETWORK_UNREACHABLE
    said = json.dumps(f"{type(error).__name__}: {cause}", ensure_ascii=False)[1:-1]
    return Failed(kind=kind, detail=f"speedtest-cli: {said[:_DETAIL_LETTERS]}")


if __name__ == "__main__":
    with suppress(KeyboardInterrupt, BrokenPipeError):  # whoever started it is gone
        main()
