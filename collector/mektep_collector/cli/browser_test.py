"""The browser's test page as the measuring server's pages."""

from urllib.parse import parse_qs, urlsplit

from mektep_collector.cli.addresses import bracketed
from mektep_collector.config import Config
from mektep_collector.measure.request import Request
from mektep_collector.measure.settings import Ready
from mektep_collector.measure.web_plan import Answer
from mektep_dashboards.pages.browser_test import ADDRESS, BrowserTest

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self' ws: wss:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_PAGE = (("Cache-Control", "no-cache"), ("Content-Security-Policy", _POLICY), ("Referrer-Policy", "same-origin"))
_LASTING = (("Cache-Control", "public, max-age=31536000, immutable"),)


def browser_test_url(config: Config, ready: Ready | None, public: str) -> str:
    """Return where a browser finds the test page of the measuring server that was started, empty for none.

    It is plain HTTP: a test over TLS costs a weak computer more than its line may give.
    """
    if ready is None:
        return ""
    host = config.measure_host or urlsplit(public).hostname or config.host
    return f"http://{bracketed(host)}:{ready.ndt7_port}{ADDRESS}"


class BrowserTestPages:
    """Implements `mektep_collector.measure.web.Pages`. A browser at the front door is led to the test."""

    def __init__(self) -> None:
        self._test = BrowserTest()

    def answer(self, request: Request) -> Answer | None:
        """Return the page that is asked for, None where there is none at that path."""
        if request.method != "GET":
            return None
        if request.path == "/":
            if "text/html" not in request.headers.get("accept", ""):
                return None
            return Answer(status=303, headers=(("Location", ADDRESS), ("Cache-Control", "no-cache")))
        asked = parse_qs(request.query).get("lang", [None])[0]
        found = self._test.find(request.path, asked, request.headers.get("accept-language"))
        if found is None:
            return None
        return Answer(media_type=found.media_type, body=found.body, headers=_LASTING if found.is_lasting else _PAGE)
