"""The routes of the pages. Each renders one frozen document; none asks a database by itself."""

import logging
from collections.abc import Mapping

from fastapi import APIRouter, Request, Response

from mektep_dashboards.i18n.language import Language, choose
from mektep_dashboards.pages import answer
from mektep_dashboards.pages.assets import read_assets
from mektep_dashboards.pages.listing import listing, read
from mektep_dashboards.pages.rendering import Rendering
from mektep_dashboards.pages.source import OutOfReachError, PageSource

_COOKIE = "mektep_lang"
_YEAR_S = 31_536_000
_RETRY_S = 30
_LOG = logging.getLogger(__name__)


def create_pages(source: PageSource, test_address: str = "") -> APIRouter:
    """Return the routes `/`, `/schools/{id}` and `/static/{name}`; templates and catalogues are read here, once.

    Every page leads to `test_address`, where a browser tests itself, if there is one.

    The routes are plain functions, so FastAPI runs them in threads and a slow document holds up nobody else.
    """
    assets = read_assets()
    by_address = {asset.address: asset for asset in assets.values()}
    rendering = Rendering(assets, test_address)
    router = APIRouter(include_in_schema=False)

    def shown(request: Request, template: str, status: int = 200, **facts: object) -> Response:
        query = _query(request)
        language = _language(request, query)
        asked = {key: value for key, value in query.items() if key != "lang"}
        text = rendering.render(template, language, request.url.path, asked, **facts)
        response = answer.page(request, text, status)
        if query.get("lang") == language.value:
            response.set_cookie(_COOKIE, language.value, max_age=_YEAR_S, httponly=True, samesite="lax")
        return response

    def out_of_reach(request: Request, error: OutOfReachError) -> Response:
        _LOG.warning("page_not_shown", extra={"path": request.url.path[:200], "reason": str(error)})
        response = shown(request, "out_of_reach.html", status=503)
        response.headers["Retry-After"] = str(_RETRY_S)
        return response

    @router.get("/")
    def fleet(request: Request) -> Response:
        try:
            document = source.fleet()
        except OutOfReachError as error:
            return out_of_reach(request, error)
        found = listing(document.rows, read(_query(request)))
        return shown(request, "fleet.html", fleet=document, listing=found)

    @router.get("/schools/{school_id:path}")
    def school(request: Request, school_id: str) -> Response:
        try:
            document = source.school(school_id)
        except OutOfReachError as error:
            return out_of_reach(request, error)
        if document is None:
            return shown(request, "unknown.html", status=404, school_id=school_id[:100])
        return shown(request, "school.html", school=document)

    @router.get("/static/{name}")
    def static(request: Request, name: str) -> Response:
        asset = by_address.get(f"/static/{name}")
        if asset is None:
            return Response(status_code=404)
        return answer.lasting(request, asset.body, asset.media_type)

    return router


def _query(request: Request) -> Mapping[str, str]:
    return dict(request.query_params)


def _language(request: Request, query: Mapping[str, str]) -> Language:
    return choose(query.get("lang"), request.cookies.get(_COOKIE), request.headers.get("accept-language"))
