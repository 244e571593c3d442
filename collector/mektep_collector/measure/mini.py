"""The endpoints of a Speedtest Mini server, which `speedtest-cli --mini http://host:port/mini/` asks for; without I/O.

The pictures are no pictures: the client counts their bytes and looks at none of them. Their sizes follow those of the
original, about two bytes a pixel.
"""

import re
from typing import Final

from mektep_collector.measure.request import Request
from mektep_collector.measure.web_body import body_bytes
from mektep_collector.measure.web_plan import Answer, Fill, Plan, Take

_PAGES: Final = frozenset({"/mini", "/mini/"})
_PAGE: Final = b'<!doctype html><title>Speedtest Mini</title><script>var x = {\nupload_extension: "php"\n};</script>\n'
_FOLDER: Final = "/mini/speedtest/"
_PICTURE: Final = re.compile(r"random([1-9][0-9]{2,3})x\1\.jpg")
_BYTES_A_PIXEL: Final = 2


def mini_plan(request: Request) -> Plan | None:
    """Return what to do about a request; None where the path is not a Mini server's.

    Raises BodyError for an upload that cannot be taken.
    """
    if request.path in _PAGES:
        return Answer(media_type="text/html; charset=utf-8", body=_PAGE)
    if not request.path.startswith(_FOLDER):
        return None
    name = request.path.removeprefix(_FOLDER)
    if name == "latency.txt":
        return Answer(body=b"test=test\n")
    if name == "upload.php":
        size_bytes = body_bytes(request) if request.method == "POST" else 0
        return Take(size_bytes=size_bytes, answer=Answer(body=f"size={size_bytes or 0}\n".encode()))
    picture = _PICTURE.fullmatch(name)
    if picture is None:
        return Answer(status=404, body=b"There is nothing here.\n")
    return Fill(size_bytes=_BYTES_A_PIXEL * int(picture[1]) ** 2, media_type="image/jpeg")
