"""One route answered before the framework's layers: what every school's computer asks all day.

The framework spends as much processor time on finding and calling a route as acceptance spends on ten readings. The
route stays in the framework too, for its description and for every other method.
"""

from collections.abc import Awaitable, Callable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mektep_collector.api.problems import ProblemError, bug, gone

Endpoint = Callable[[Request], Awaitable[Response]]


class HotRoute:
    """Answers `method` at `path` by `endpoint`, as the framework would; hands everything else on.

    What the endpoint raises and does not mean as an answer is answered as a bug, and raised on to the server's log.
    """

    def __init__(self, app: ASGIApp, method: str, path: str, endpoint: Endpoint) -> None:
        self._app = app
        self._method = method
        self.path = path
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the route's requests; `scope["route"]` tells those around, as the framework's own routes do."""
        if scope["type"] != "http" or scope["path"] != self.path or scope["method"] != self._method:
            await self._app(scope, receive, send)
            return
        scope["route"] = self
        try:
            response = await self._endpoint(Request(scope, receive, send))
        except ProblemError as error:
            response = error.response()
        except ClientDisconnect:
            response = gone()
        except Exception:
            await bug()(scope, receive, send)
            raise
        await response(scope, receive, send)
