"""GET /openapi.json and /docs: the interface described (OpenAPI 3.1), and a page to read it, all from this machine.

The page's parts are Swagger UI's own files out of an installed package; nothing is fetched from elsewhere, and no
script or style stands inside the page, so the strict content policy holds for it too.
"""

from importlib.resources import files
from typing import Any

import msgspec
from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.responses import Response

from mektep_collector.api.problems import ProblemError
from mektep_wire import VERSION, ProblemKind
from mektep_wire.schema import components

_TITLE = "Mektep Meter"
_SUMMARY = "What internet schools really get: enrolment of devices, their assignments, and the readings that they send."
_ASSETS = {
    "swagger-ui.css": "text/css; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
}
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mektep Meter: interface</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="interface"><noscript>The interface is described in <a href="/openapi.json">openapi.json</a>.</noscript></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
_START = """window.SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#interface",
  deepLinking: true,
  validatorUrl: null,
});
"""
_DAY = "public, max-age=86400"


def create_documentation_router(app: FastAPI) -> APIRouter:
    """Return the routes that describe `app`, every route that it has when it is first asked."""
    router = APIRouter(include_in_schema=False)
    made: list[bytes] = []

    def get_document() -> Response:
        if not made:
            made.append(msgspec.json.encode(openapi_document(app)))
        return Response(made[0], media_type="application/json", headers={"Cache-Control": "no-cache"})

    def get_page() -> Response:
        return Response(_PAGE, media_type="text/html", headers={"Cache-Control": "no-cache"})

    def get_start() -> Response:
        return Response(_START, media_type="text/javascript", headers={"Cache-Control": _DAY})

    def get_asset(name: str) -> Response:
        if name not in _ASSETS:
            raise ProblemError(ProblemKind.NOT_FOUND, f"the documentation has no part {name[:100]!r}")
        content = files("fastapi_offline").joinpath("static", name).read_bytes()
        return Response(content, headers={"Content-Type": _ASSETS[name], "Cache-Control": _DAY})

    router.add_api_route("/openapi.json", get_document, methods=["GET"], response_class=Response)
    router.add_api_route("/docs", get_page, methods=["GET"], response_class=Response)
    router.add_api_route("/docs/start.js", get_start, methods=["GET"], response_class=Response)
    router.add_api_route("/docs/{name}", get_asset, methods=["GET"], response_class=Response)
    return router


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of `app`, with the wire's types as its schemas."""
    document = get_openapi(title=_TITLE, version=VERSION, summary=_SUMMARY, routes=app.routes)
    found = document.setdefault("components", {})
    found["schemas"] = components("#/components/schemas/{name}")
    found["securitySchemes"] = {
        "deviceToken": {"type": "http", "scheme": "bearer", "description": "The token from a device's enrolment"}
    }
    return document
