"""The routes of the pages. Each renders one frozen document; none asks a database by itself."""

from fastapi import APIRouter, Request, Response

from mektep_dashboards.pages import answer
from mektep_dashboards.pages.assets import read_assets
from mektep_dashboards.pages.listing import listing, read
from mektep_dashboards.pages.login import Door, add_login
from mektep_dashboards.pages.rendering import Rendering
from mektep_dashboards.pages.shelves import Shelves
from mektep_dashboards.pages.showing import Showing, query_of, visitor_of
from mektep_dashboards.pages.source import OutOfReachError, PageSource

_NOBODY_KNOWN = "who looks cannot be found out"


def create_pages(source: PageSource, door: Door, test_address: str = "") -> APIRouter:
    """Return the routes `/`, `/schools/{id}`, `/login`, `/logout`, `/static/{name}`.

    Templates and catalogues are read here, once. Every page leads to `test_address`, where a browser tests itself, if
    there is one. Routes that make documents are plain functions, so FastAPI runs them in threads and a slow document
    holds up nobody else. They stand behind an entrance that says who looks.
    """
    assets = read_assets()
    by_address = {asset.address: asset for asset in assets.values()}
    showing = Showing(Rendering(assets, test_address))
    shelves = Shelves()
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    def fleet(request: Request) -> Response:
        visitor = visitor_of(request)
        if visitor is None:
            return showing.out_of_reach(request, _NOBODY_KNOWN)
        try:
            document = source.fleet(visitor.scope)
        except OutOfReachError as error:
            return showing.out_of_reach(request, str(error), visitor)
        found = listing(shelves.of(document), read(query_of(request)))
        return showing.show(request, "fleet.html", 200, visitor, fleet=document, listing=found)

    @router.get("/schools/{school_id:path}")
    def school(request: Request, school_id: str) -> Response:
        visitor = visitor_of(request)
        if visitor is None:
            return showing.out_of_reach(request, _NOBODY_KNOWN)
        try:
            document = source.school(school_id, visitor.scope)
        except OutOfReachError as error:
            return showing.out_of_reach(request, str(error), visitor)
        if document is None:
            return showing.show(request, "unknown.html", 404, visitor, school_id=school_id[:100])
        return showing.show(request, "school.html", 200, visitor, school=document)

    @router.get("/static/{name}")
    def static(request: Request, name: str) -> Response:
        asset = by_address.get(f"/static/{name}")
        if asset is None:
            return Response(status_code=404)
        return answer.lasting(request, asset.body, asset.media_type)

    add_login(router, door, showing)
    return router
