"""An app under a real uvicorn on a free port of 127.0.0.1, in a thread, for the time of a block."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

_DEADLINE_S = 20.0


@contextmanager
def serving(app: ASGIApp) -> Iterator[tuple[str, int]]:
    """Serve `app`; yields host and port once it answers, and ends with all connections closed."""
    server = uvicorn.Server(
        uvicorn.Config(
            app, http="httptools", log_level="error", access_log=False, lifespan="off", timeout_graceful_shutdown=2
        )
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],), name="uvicorn")
        thread.start()
        try:
            deadline_s = time.monotonic() + _DEADLINE_S
            while not server.started and time.monotonic() < deadline_s:
                time.sleep(0.01)
            assert server.started
            yield "127.0.0.1", listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(_DEADLINE_S)
            assert not thread.is_alive()
