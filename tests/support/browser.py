"""A real Chromium for tests, which keeps to this machine, and a real uvicorn for it to visit.

Needs Debian's Chromium; without it a test is skipped with the reason, and fails where `CI` is set.
"""

import asyncio
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.support.requirement import require

_ARGUMENTS = [
    "--no-sandbox",
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_DEADLINE_S = 20.0


@contextmanager
def chromium() -> Iterator[Browser]:
    """Give a browser, closed at the end."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    require(program is not None, "Chromium (Debian package chromium) is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serve an application on a free port of 127.0.0.1 by uvicorn in a thread; give its address without a slash."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off", ws="none"))
    ended = threading.Event()

    def serve() -> None:
        try:
            asyncio.run(server.serve(sockets=[listener]))
        finally:
            ended.set()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        # the socket listens already: a first request waits in its queue until the server takes it
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        assert ended.wait(_DEADLINE_S), "uvicorn did not end"
        thread.join(_DEADLINE_S)
        listener.close()


class Visit:
    """A page of a browser that remembers what it should not have seen: errors, and requests to other hosts."""

    def __init__(self, context: BrowserContext, home: str) -> None:
        self.page: Page = context.new_page()
        self.page.set_default_timeout(_DEADLINE_S * 1_000)
        self.home = home
        self.troubles: list[str] = []
        self.transferred_bytes = 0
        self.page.on("console", lambda message: self._note(message.type in {"error", "warning"}, message.text))
        self.page.on("pageerror", lambda error: self._note(True, str(error)))
        self.page.on("request", lambda request: self._note(not request.url.startswith(home), request.url))
        self.page.on("requestfinished", lambda request: self._count(request.sizes()["responseBodySize"]))

    def open(self, path: str) -> int:
        """Go to a path, wait until page, style, script and icon are there, and return the status of the page."""
        answer = self.page.goto(self.home + path, wait_until="load")
        assert answer is not None
        return answer.status

    def _note(self, is_trouble: bool, text: str) -> None:
        if is_trouble:
            self.troubles.append(text)

    def _count(self, size: int) -> None:
        self.transferred_bytes += size
