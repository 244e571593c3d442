"""Errors over HTTP, the same for the whole app: problem details (RFC 9457) that say what is wrong and what to do.

A route raises `ProblemError`; what Starlette, a slow client or a bug raises is turned into the same shape here.
"""

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from mektep_collector.registry.error import RegistryAway
from mektep_wire import Problem, ProblemKind, encode
from mektep_wire.problem import PROBLEM_MEDIA_TYPE

PROBLEM_TYPE_PREFIX = "urn:mektep-meter:problem:"
_MAX_FIELD = 500
_RETRY_AFTER_S = "30"

_STATUS = {
    ProblemKind.BODY_TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    ProblemKind.UNSUPPORTED_ENCODING: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    ProblemKind.BAD_COMPRESSION: HTTPStatus.BAD_REQUEST,
    ProblemKind.MALFORMED: HTTPStatus.BAD_REQUEST,
    ProblemKind.INVALID_FIELD: HTTPStatus.UNPROCESSABLE_ENTITY,
    ProblemKind.UNAUTHORISED: HTTPStatus.UNAUTHORIZED,
    ProblemKind.DEVICE_REVOKED: HTTPStatus.FORBIDDEN,
    ProblemKind.BAD_SIGNATURE: HTTPStatus.FORBIDDEN,
    ProblemKind.OTHER_DEVICE: HTTPStatus.FORBIDDEN,
    ProblemKind.CODE_UNKNOWN: HTTPStatus.NOT_FOUND,
    ProblemKind.CODE_EXPIRED: HTTPStatus.GONE,
    ProblemKind.CODE_SPENT: HTTPStatus.CONFLICT,
    ProblemKind.REPLAYED: HTTPStatus.CONFLICT,
    ProblemKind.TOO_MANY_REQUESTS: HTTPStatus.TOO_MANY_REQUESTS,
    ProblemKind.NOT_FOUND: HTTPStatus.NOT_FOUND,
    ProblemKind.METHOD_NOT_ALLOWED: HTTPStatus.METHOD_NOT_ALLOWED,
    ProblemKind.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    ProblemKind.INTERNAL: HTTPStatus.INTERNAL_SERVER_ERROR,
}

_TITLES = {
    ProblemKind.BODY_TOO_LARGE: "The body is too large",
    ProblemKind.UNSUPPORTED_ENCODING: "The body's encoding is not supported",
    ProblemKind.BAD_COMPRESSION: "The body cannot be decompressed",
    ProblemKind.MALFORMED: "The request cannot be read",
    ProblemKind.INVALID_FIELD: "A field is invalid",
    ProblemKind.UNAUTHORISED: "The token opens nothing",
    ProblemKind.DEVICE_REVOKED: "The device was revoked",
    ProblemKind.BAD_SIGNATURE: "The signature does not fit",
    ProblemKind.OTHER_DEVICE: "The body is another device's",
    ProblemKind.CODE_UNKNOWN: "The code is unknown",
    ProblemKind.CODE_EXPIRED: "The code has expired",
    ProblemKind.CODE_SPENT: "The code was used already",
    ProblemKind.REPLAYED: "The request was made before",
    ProblemKind.TOO_MANY_REQUESTS: "Too many requests",
    ProblemKind.NOT_FOUND: "Nothing is here",
    ProblemKind.METHOD_NOT_ALLOWED: "The method is not allowed here",
    ProblemKind.UNAVAILABLE: "Not available at the moment",
    ProblemKind.INTERNAL: "The collector failed",
}


class ProblemError(Exception):
    """A request that is refused. `status` is the kind's own unless one is given; `headers` go with the answer."""

    def __init__(
        self,
        kind: ProblemKind,
        detail: str,
        *,
        advice: str = "",
        field: str | None = None,
        status: HTTPStatus | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{kind.value}: {detail}")
        self.problem = Problem(
            type=PROBLEM_TYPE_PREFIX + kind.value,
            title=_TITLES[kind],
            status=status or _STATUS[kind],
            detail=detail,
            advice=advice,
            field=field[:_MAX_FIELD] if field else None,
        )
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """Return the answer for this problem."""
        return Response(encode(self.problem), self.problem.status, headers=self.headers, media_type=PROBLEM_MEDIA_TYPE)


def install_problem_handlers(app: FastAPI) -> None:
    """Answer every error of `app` as a problem. A bug is answered so too, then raised on to the server's log."""
    app.add_exception_handler(ProblemError, _refused)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(RegistryAway, _away)
    app.add_exception_handler(Exception, _bug)


async def _refused(_request: Request, error: Exception) -> Response:
    if not isinstance(error, ProblemError):
        raise error
    return error.response()


async def _http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    headers = error.headers or {}
    if error.status_code == HTTPStatus.NOT_FOUND:
        return ProblemError(
            ProblemKind.NOT_FOUND,
            f"this collector has nothing at {request.url.path[:200]}",
            advice="check the address; /docs lists what there is",
            headers=headers,
        ).response()
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = headers.get("Allow") or headers.get("allow") or "another method"
        return ProblemError(
            ProblemKind.METHOD_NOT_ALLOWED,
            f"{request.method} is not allowed at {request.url.path[:200]}",
            advice=f"use {allowed}",
            headers=headers,
        ).response()
    status = HTTPStatus(error.status_code)
    kind = ProblemKind.INTERNAL if status >= HTTPStatus.INTERNAL_SERVER_ERROR else ProblemKind.MALFORMED
    return ProblemError(kind, str(error.detail), status=status, headers=headers).response()


async def _gone(_request: Request, _error: Exception) -> Response:
    return gone()


def gone() -> Response:
    """Return an answer that nobody hears; it only ends the request without the noise of a bug."""
    return ProblemError(
        ProblemKind.MALFORMED, "the connection ended before the whole body had come", advice="send it again"
    ).response()


async def _away(_request: Request, error: Exception) -> Response:
    return unavailable(str(error)).response()


def unavailable(detail: str) -> ProblemError:
    """Return the refusal of what cannot be done at the moment."""
    return ProblemError(
        ProblemKind.UNAVAILABLE,
        detail,
        advice="keep the readings and send them again later; nothing counts twice",
        headers={"Retry-After": _RETRY_AFTER_S},
    )


async def _bug(_request: Request, _error: Exception) -> Response:
    return bug()


def bug() -> Response:
    """Return the answer to a request that met a fault of ours; it tells nothing of that."""
    return ProblemError(
        ProblemKind.INTERNAL,
        "a fault in the collector stopped this request; its log has the details",
        advice="keep what you sent and try again later",
    ).response()
