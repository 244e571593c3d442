"""The process that carries: it holds the key, the HTTP client and the TLS library, and ends when its input ends.

`python -m mektep_agent.uplink.courier STATE_DIR CONNECT_TIMEOUT_S REQUEST_TIMEOUT_S`. One JSON order a line on stdin,
one JSON answer a line on stdout. It says `ready` first, so that no batch bears a time from before it could be sent.
"""

import sys
from pathlib import Path

import msgspec

from mektep_agent.clock import SystemTime
from mektep_agent.config.state_folder import StateFolder
from mektep_agent.identity.device import load_device
from mektep_agent.uplink.carrier import Answer, News, Renewal
from mektep_agent.uplink.correspondence import Correspondence
from mektep_agent.uplink.courier_orders import (
    READY,
    AskLeaseOrder,
    EndLeaseOrder,
    FetchOrder,
    Order,
    RenewOrder,
    SendOrder,
)
from mektep_agent.uplink.http_collector import http_collector


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
        correspondence = Correspondence(folder, collector, device)
        output.write(READY)
        output.flush()
        for line in sys.stdin.buffer:
            order = msgspec.json.decode(line, type=Order)
            match order:
                case SendOrder(consignment):
                    reply: Answer | News | Renewal = correspondence.send(consignment)
                case FetchOrder(current_version):
                    reply = correspondence.fetch_assignment(current_version)
                case RenewOrder(at):
                    reply = correspondence.renew_token(at)
                case AskLeaseOrder(for_s):
                    reply = correspondence.ask_lease(for_s)
                case EndLeaseOrder(lease_id, end):
                    reply = correspondence.end_lease(lease_id, end)
            output.write(msgspec.json.encode(reply) + b"\n")
            output.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
