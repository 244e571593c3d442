"""Who may see the metrics: programs of this computer, and from elsewhere who bears the operator's token."""

import hmac
import ipaddress

from starlette.requests import Request

from mektep_collector.api.problems import ProblemError
from mektep_wire import ProblemKind

_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")


def check_metrics_reader(request: Request, token: str) -> None:
    """Let a request from this computer pass, or one that bears `token` where that is not empty; raises ProblemError.

    A request that a proxy of this computer hands on is not from this computer, whether the proxy is trusted or not.
    """
    if _from_this_computer(request):
        return
    scheme, _, shown = request.headers.get("authorization", "").partition(" ")
    borne = scheme.lower() == "bearer" and hmac.compare_digest(shown.strip().encode(), token.encode())
    if token and borne:
        return
    raise ProblemError(
        ProblemKind.UNAUTHORISED,
        "from elsewhere than the collector's computer the metrics are shown only for their token",
        advice="bear the token of the file that the operator's setting `metrics_token_file` names",
        headers={"WWW-Authenticate": "Bearer"},
    )


def _from_this_computer(request: Request) -> bool:
    if request.client is None or any(name in request.headers for name in _FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
