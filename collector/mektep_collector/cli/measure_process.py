"""The measuring server beside `serve`: a process of its own, started, watched, begun again when it ends, and stopped.

It is told to end by the end of its standard input, so it never outlives this process, however this one ends.
"""

import asyncio
import logging
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress

import msgspec

from mektep_collector.config import Config
from mektep_collector.measure.settings import MeasureError, Ready

_LOG = logging.getLogger(__name__)
_READY_TIMEOUT_S = 30.0
_STOP_TIMEOUT_S = 5.0
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 30.0


class MeasureProcess:
    """One measuring server. `start` it, then let `keep` run; `stop` it at the end."""

    def __init__(self, config: Config, bind: str) -> None:
        self._config = config
        self._bind = bind
        self._process: Process | None = None
        self._ready: Ready | None = None
        self._open = False

    async def start(self) -> Ready:
        """Start it and return its ports once they are open; raises MeasureError, with its own words on stderr.

        Started again, it takes the ports that it had.
        """
        self._process = process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "mektep_collector",
            *self._arguments(),
            stdin=PIPE,
            stdout=PIPE,
            start_new_session=True,
        )
        line = b""
        if process.stdout is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(_READY_TIMEOUT_S):
                    line = await process.stdout.readline()
        if not line:
            await self.stop()
            raise MeasureError(
                f"the measuring server did not start (see above); choose other ports, "
                f"or serve without one: --no-measure. It ended with {process.returncode}"
            )
        self._ready = msgspec.json.decode(line, type=Ready)
        self._open = True
        return self._ready

    async def keep(self) -> None:
        """Watch it until cancelled; start it again when it ends, after pauses that grow up to half a minute."""
        while self._process is not None:
            code = await self._process.wait()
            self._open = False
            _LOG.error("measure_server_ended", extra={"exit_code": code})
            pause_s = _FIRST_PAUSE_S
            while not self._open:
                await asyncio.sleep(pause_s)
                pause_s = min(_LONGEST_PAUSE_S, pause_s * 2)
                try:
                    await self.start()
                except MeasureError as error:
                    details = {"reason": str(error), "next_attempt_s": pause_s}
                    _LOG.error("measure_server_not_started", extra=details)
            _LOG.warning("measure_server_started_again")

    async def stop(self) -> None:
        """End it: gently, then firmly."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(_STOP_TIMEOUT_S):
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def obstacle(self) -> str | None:
        """Return why nothing can be measured here now, None while it runs."""
        if not self._open:
            return "the measuring server is not running; it is being started again"
        return None

    def _arguments(self) -> list[str]:
        config, ready = self._config, self._ready
        arguments = ["measure-server", "--stop-with-stdin", "--bind", self._bind]
        ports = {
            "--ndt7-port": ready.ndt7_port if ready else config.ndt7_port,
            "--echo-port": ready.echo_port if ready else config.echo_port,
            "--metrics-port": ready.metrics_port if ready else config.measure_metrics_port,
        }
        if config.tls_cert:
            ports["--ndt7-tls-port"] = ready.ndt7_tls_port or 0 if ready else config.ndt7_tls_port
            arguments += ["--tls-cert", config.tls_cert, "--tls-key", config.tls_key]
        for name, port in ports.items():
            arguments += [name, str(port)]
        return arguments
