"""A page shown to whoever looks, in the reader's language; and what is shown where its content cannot be read."""

import logging
from collections.abc import Mapping
from typing import Final

from fastapi import Request, Response

from mektep_collector.access.visit import Visitor
from mektep_dashboards.i18n.language import Language, choose
from mektep_dashboards.pages import answer
from mektep_dashboards.pages.rendering import Rendering

_COOKIE: Final = "mektep_lang"
_YEAR_S: Final = 31_536_000
_RETRY_S: Final = 30
_LOG = logging.getLogger(__name__)


class Showing:
    """Renders templates for requests."""

    def __init__(self, rendering: Rendering) -> None:
        self._rendering = rendering

    def show(
        self, request: Request, template: str, status: int = 200, visitor: Visitor | None = None, **facts: object
    ) -> Response:
        """Return a page; `visitor` is who is greeted on it."""
        query = query_of(request)
        language = choose(query.get("lang"), request.cookies.get(_COOKIE), request.headers.get("accept-language"))
        asked = {key: value for key, value in query.items() if key != "lang"}
        text = self._rendering.render(template, language, request.url.path, asked, visitor=visitor, **facts)
        response = answer.page(request, text, status)
        if query.get("lang") == language.value:
            response.set_cookie(_COOKIE, Language(language).value, max_age=_YEAR_S, httponly=True, samesite="lax")
        return response

    def out_of_reach(self, request: Request, reason: str, visitor: Visitor | None = None) -> Response:
        """Return the page that says that results cannot be read at the moment."""
        _LOG.warning("page_not_shown", extra={"path": request.url.path[:200], "reason": reason})
        response = self.show(request, "out_of_reach.html", 503, visitor)
        response.headers["Retry-After"] = str(_RETRY_S)
        return response


def query_of(request: Request) -> Mapping[str, str]:
    """Return what the address asks for; of a name that comes twice the last."""
    return dict(request.query_params)


def visitor_of(request: Request) -> Visitor | None:
    """Return who looks, None where that cannot be found out at the moment.

    The entrance has put it there; a page that stands before no entrance fails.
    """
    visitor: Visitor | None = request.state.visitor
    return visitor
