"""The process that carries: it holds the key, the HTTP client and the TLS library, and ends when its input ends.

`python -m mektep_agent.uplink.courier STATE_DIR CONNECT_TIMEOUT_S REQUEST_TIMEOUT_S`. One JSON order a line on stdin,
one JSON answer a line on stdout. It says `ready` first, so that no batch bears a time from before it could be sent.
"""

import sys
from pathlib import Path

import msgspec

from mektep_agent.clock import SystemTime
from mektep_agent.config.state_folder import StateFolder
from mektep_agent.identity.adoption import adopt
from mektep_agent.identity.device import Device, load_device
from mektep_agent.identity.last_assignment import AssignmentError
from mektep_agent.uplink.carrier import Answer, News, NewsOutcome
from mektep_agent.uplink.courier_orders import READY, AskLeaseOrder, EndLeaseOrder, FetchOrder, Order, SendOrder
from mektep_agent.uplink.http_collector import HttpCollector, http_collector
from mektep_agent.uplink.verdict import problem_in
from mektep_wire import SignedAssignment, WireError, decode


def fetch_assignment(folder: StateFolder, collector: HttpCollector, device: Device, current_version: int) -> News:
    """Ask for a newer assignment and keep it if it is good; the last good one stays otherwise."""
    answer = collector.get_assignment(device, current_version)
    if answer.status == 304:
        return News(outcome=NewsOutcome.UNCHANGED, version=current_version)
    if answer.status != 200 or answer.media_type != "application/json":
        return News(outcome=NewsOutcome.UNREACHED, detail=_said(answer))
    try:
        signed = decode(SignedAssignment, answer.body)
        taken = adopt(folder, signed, device.collector_public_key, device.device_id)
    except (WireError, AssignmentError) as error:
        return News(outcome=NewsOutcome.REFUSED, detail=str(error))
    if taken is None:
        return News(outcome=NewsOutcome.UNCHANGED, version=current_version)
    return News(outcome=NewsOutcome.ADOPTED, version=taken.version)


def _said(answer: Answer) -> str:
    problem = problem_in(answer)
    if problem is not None:
        return f"HTTP {answer.status}: {problem.detail or problem.title}"
    return f"HTTP {answer.status}" if answer.status else f"{answer.failure}: {answer.detail}"


def main(arguments: list[str]) -> int:
    """Carry until the input ends; return the exit code."""
    folder = StateFolder(Path(arguments[0]))
    device = load_device(folder)
    if device is None:
        sys.stderr.write("this computer is no device yet: run `mektep-agent enrol`\n")
        return 1
    connect_timeout_s, request_timeout_s = float(arguments[1]), float(arguments[2])
    output = sys.stdout.buffer
    with http_collector(
        device.collector_url, SystemTime(), connect_timeout_s=connect_timeout_s, request_timeout_s=request_timeout_s
    ) as collector:
        output.write(READY)
        output.flush()
        for line in sys.stdin.buffer:
            order = msgspec.json.decode(line, type=Order)
            match order:
                case SendOrder(consignment):
                    reply: Answer | News = collector.post_batch(device, consignment)
                case FetchOrder(current_version):
                    reply = fetch_assignment(folder, collector, device, current_version)
                case AskLeaseOrder(for_s):
                    reply = collector.post_lease(device, for_s)
                case EndLeaseOrder(lease_id, end):
                    reply = collector.delete_lease(device, lease_id, end)
            output.write(msgspec.json.encode(reply) + b"\n")
            output.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
