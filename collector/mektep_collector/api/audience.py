"""Who waits for a page now: what can wait makes room for them.

One thread answers everything, and pages are made by further threads of the same interpreter. Where a country delivers
at once, each of them would get a small share of it.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_FOR_PROGRAMS = "/v1/"


class Audience:
    """How many wait. Belongs to one event loop; `waits` may be called from any thread."""

    def __init__(self) -> None:
        self._count = 0

    def waits(self) -> bool:
        """Tell whether anybody waits for an answer to begin."""
        return self._count > 0

    def come(self) -> None:
        """Say that one more waits, until `go`."""
        self._count += 1

    def go(self) -> None:
        """Say that one has an answer, or has left."""
        self._count -= 1


class Attended:
    """Tells an audience of the requests of `app` that people make, from their coming until their answer begins."""

    def __init__(self, app: ASGIApp, audience: Audience) -> None:
        self._app = app
        self._audience = audience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through."""
        if scope["type"] != "http" or scope["path"].startswith(_FOR_PROGRAMS):
            await self._app(scope, receive, send)
            return
        waits = True
        self._audience.come()

        async def answered(message: Message) -> None:
            nonlocal waits
            if waits:
                waits = False
                self._audience.go()
            await send(message)

        try:
            await self._app(scope, receive, answered)
        finally:
            if waits:
                self._audience.go()
