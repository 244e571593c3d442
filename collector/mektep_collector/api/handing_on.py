"""Batches of devices whose home is another collector, handed on to there as they came, and its answer back.

The home checks token and signature itself, so nothing here is believed; no proxy of this computer is asked. A home that
cannot be reached is answered with 503: the device keeps its readings, and nobody else may take them, since only the
home knows what it has already.
"""

import logging
from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from mektep_collector.api.peer_lines import PeerError, PeerLines
from mektep_collector.api.problems import unavailable
from mektep_collector.registry.homes import Homes
from mektep_collector.registry.records import Device
from mektep_wire.signature import SIGNATURE_HEADER

HANDED_ON: Final = "Mektep-Handed-On"
"""Set on what was handed on once: it is not handed on again."""
_KEPT: Final = ("authorization", "content-type", "content-encoding", SIGNATURE_HEADER.lower())
_LOG = logging.getLogger(__name__)


class HandingOn:
    """Hands batches on. `close` it at the end."""

    def __init__(self, homes: Homes) -> None:
        self._homes = homes
        self._lines = PeerLines()

    async def answer_elsewhere(self, request: Request, device: Device, body: bytes) -> Response | None:
        """Return the answer of a device's home, None where that is this one. Raises ProblemError and RegistryAway."""
        home = self._homes.of(device.id)
        if home == self._homes.own:
            return None
        if request.headers.get(HANDED_ON) or not home.url:
            raise unavailable("another collector has what this device sent before; its address is not known here")
        try:
            answer = await self._lines.post(home.url + request.url.path, _headers(request), body)
        except PeerError as error:
            _LOG.warning("home_out_of_reach", extra={"collector": home.collector_id, "reason": str(error)})
            raise unavailable("the collector that has what this device sent before cannot be reached") from None
        kept = {name: answer.headers[name] for name in ("retry-after",) if name in answer.headers}
        media_type = answer.headers.get("content-type")
        return Response(answer.content, answer.status, headers=kept, media_type=media_type)

    def close(self) -> None:
        """Let go of the connections."""
        self._lines.close()


def _headers(request: Request) -> Mapping[str, str]:
    return {HANDED_ON: "1", **{name: request.headers[name] for name in _KEPT if name in request.headers}}
