"""Headers that keep a browser from doing for others what it may do for this collector."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_ANYWHERE = tuple((name.lower().encode(), value.encode()) for name, value in _HEADERS.items())
_OVER_TLS = (*_ANYWHERE, (b"strict-transport-security", b"max-age=31536000"))


class SecurityHeaders:
    """Adds the headers to every answer, and over TLS the wish to be reached over TLS alone (RFC 6797)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through; a header that a route has set itself stays."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = message["headers"]
                present = {name.lower() for name, _ in own}
                wanted = _OVER_TLS if scope["scheme"] == "https" else _ANYWHERE
                message["headers"] = [*own, *((name, value) for name, value in wanted if name not in present)]
            await send(message)

        await self._app(scope, receive, dressed)
