"""The fleet's document made in a process of its own: some seconds of work that no request and no batch waits for.

`python -m mektep_collector.cli.fleet_process` reads the settings from its standard input, as JSON, and writes the
document to its standard output, as MessagePack.
"""

import os
import subprocess
import sys
import threading
from contextlib import AsyncExitStack
from typing import Final

import msgspec

from mektep_collector.cli.opened_store import open_store
from mektep_collector.clock import SystemTime
from mektep_collector.config import Config
from mektep_collector.config.registry_url import registry_url
from mektep_collector.registry.registry import open_registry
from mektep_collector.registry.zones import SchoolZones
from mektep_collector.reports.build.fleet import FleetDocument, build_fleet

_DEADLINE_S: Final = 300.0
_NICENESS: Final = 10


class FleetError(Exception):
    """The document could not be made; the message says why."""


class FleetProcess:
    """Makes the document in a process of its own, one at a time. Whoever made it calls `stop` at the end."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._guard = threading.Lock()
        self._running: subprocess.Popen[bytes] | None = None
        self._stopped = False

    def __call__(self) -> FleetDocument:
        """Make one and wait for it. Raises FleetError."""
        command = [sys.executable, "-P", "-m", __spec__.name]
        pipe = subprocess.PIPE
        with self._guard:
            if self._stopped:
                raise FleetError("the collector ends")
            process = self._running = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe)  # noqa: S603 (our own)
        with process:
            try:
                made, said = process.communicate(msgspec.json.encode(self._config), timeout=_DEADLINE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise FleetError(f"the fleet's document was not made within {_DEADLINE_S:.0f} s") from None
        if process.returncode:
            reasons = said.decode(errors="replace").strip().splitlines()[-1:] or [f"it ended with {process.returncode}"]
            raise FleetError(f"the fleet's document cannot be made: {reasons[0]}")
        return msgspec.msgpack.decode(made, type=FleetDocument)

    def stop(self) -> None:
        """End the process that is at work, if any."""
        with self._guard:
            self._stopped = True
            if self._running is not None and self._running.poll() is None:
                self._running.kill()


def _main() -> None:
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    config = msgspec.json.decode(sys.stdin.buffer.read(), type=Config)
    time = SystemTime()
    registry = open_registry(config.data_path(), url=registry_url(config))
    zones = SchoolZones(registry.schools, time)
    # The process ends with its document: what it opened ends with it, and nothing was written.
    store = open_store(config, zones.zone_of, time, AsyncExitStack()).store
    document = build_fleet(registry.schools.all(), registry.devices.all(), store, time.now())
    sys.stdout.buffer.write(msgspec.msgpack.encode(document))


if __name__ == "__main__":
    _main()
