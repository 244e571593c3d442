"""A witness for the targets of an assignment, or of a measurement by hand."""

from collections.abc import Mapping
from random import Random

from mektep_agent.clock import TimeSource
from mektep_agent.engines import udp_echo
from mektep_agent.engines.hops import HopEngine
from mektep_agent.engines.icmp import IcmpEngine
from mektep_agent.engines.resolve import Resolve, resolve
from mektep_agent.engines.udp_echo import UdpEchoEngine
from mektep_agent.link.gateway import default_gateway
from mektep_agent.link.radio import access_link
from mektep_agent.probes.cause.lookout import Lookout, Place
from mektep_agent.probes.cause.witness import Expected, Witness
from mektep_agent.probes.outage.locate import Locator
from mektep_wire import Assignment, Direction, ExpectedFrom


def build_witness(
    echo_target: str | None,
    locator: Locator,
    expected: Mapping[Direction, Expected],
    time: TimeSource,
    random: Random,
    look_up: Resolve = resolve,
) -> Witness:
    """Return a witness of tests towards the host of `echo_target`, None where there is none that may be probed.

    `look_up` finds that host. Raises ValueError for a target of another form.
    """
    place = None
    if echo_target is not None:
        host, port = udp_echo.parse_target(echo_target)
        place = Place(echo_target=echo_target, host=host, port=port)
    lookout = Lookout(
        default_gateway,
        IcmpEngine(time, random),
        HopEngine(time),
        UdpEchoEngine(time, random, look_up),
        look_up,
        place,
        time,
    )
    return Witness(lookout, locator, default_gateway, access_link, expected)


def expected_of(assignment: Assignment) -> Mapping[Direction, Expected]:
    """Return what each direction should give: the contract's speed, for downloads the norm's where there is none."""
    found: dict[Direction, Expected] = {}
    if assignment.norm_mbps is not None:
        found[Direction.DOWNLOAD] = Expected(assignment.norm_mbps, ExpectedFrom.NORM)
    if assignment.contracted_download_mbps is not None:
        found[Direction.DOWNLOAD] = Expected(assignment.contracted_download_mbps, ExpectedFrom.CONTRACT)
    if assignment.contracted_upload_mbps is not None:
        found[Direction.UPLOAD] = Expected(assignment.contracted_upload_mbps, ExpectedFrom.CONTRACT)
    return found
