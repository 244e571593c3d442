"""A real measuring server in this process, on free ports of this machine, with deadlines short enough for a test."""

import asyncio
import threading
import time
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import contextmanager

from mektep_collector.measure.serve import serve
from mektep_collector.measure.settings import MeasureSettings, Ready
from mektep_collector.measure.specification import Timing
from mektep_collector.measure.web import Pages

SHORT = Timing(runtime_s=1.0, max_runtime_s=2.0, closing_timeout_s=0.9, handshake_timeout_s=0.6, linger_s=0.3)
SETTINGS = MeasureSettings(ndt7_port=0, echo_port=0, ndt7_tls_port=0, metrics_port=0, max_tests=4)
_WAIT_S = 15.0


class RunningServer:
    """Ports of a server that runs, and what it has counted since this view of it was made."""

    def __init__(self, ready: Ready, *, started: Mapping[str, float] | None = None) -> None:
        self.ready = ready
        self._started = started or {}

    def fresh(self) -> "RunningServer":
        """Return a view whose counters begin at 0, once all that came before has ended."""
        for direction in ("download", "upload"):
            self.await_count(0, "mektep_measure_active_tests", direction=direction)
        return RunningServer(self.ready, started=self._page())

    def count(self, metric: str, **labels: str) -> float:
        """Return a metric's value from the server's own page; 0 where it has no such series."""
        shown = ",".join(f'{name}="{value}"' for name, value in labels.items())
        series = f"{metric}{{{shown}}}" if shown else metric
        before = self._started.get(series, 0.0) if metric.endswith("_total") else 0.0
        return self._page().get(series, 0.0) - before

    def _page(self) -> dict[str, float]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ready.metrics_port}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {series: float(value) for series, value in pairs}

    def await_count(self, expected: float, metric: str, **labels: str) -> None:
        """Wait until a metric reaches a value; raises AssertionError when it does not in time."""
        deadline_s = time.monotonic() + _WAIT_S
        while (value := self.count(metric, **labels)) != expected:
            assert time.monotonic() < deadline_s, f"{metric} {labels} is {value}, not {expected}"
            time.sleep(0.02)

    def await_outcome(self, direction: str, outcome: str) -> None:
        """Wait until the one test since this view was made has ended, and ended so."""
        self.await_count(1, "mektep_measure_tests_total", direction=direction, outcome=outcome)


@contextmanager
def measure_server(
    settings: MeasureSettings = SETTINGS, timing: Timing = SHORT, pages: Pages | None = None
) -> Generator[RunningServer, None, None]:
    """Run a server for the time of the block, and see that it leaves no thread behind."""
    before = set(threading.enumerate())
    began = threading.Event()
    ready: list[Ready] = []
    failures: list[BaseException] = []
    loop = asyncio.new_event_loop()

    def announce(one: Ready) -> None:
        ready.append(one)
        began.set()

    serving = loop.create_task(serve(settings, announce, timing=timing, pages=pages))

    def run() -> None:
        try:
            loop.run_until_complete(serving)
        except asyncio.CancelledError:
            pass
        except BaseException as error:  # noqa: BLE001 (handed to the test's own thread)
            failures.append(error)
        finally:
            began.set()
            loop.close()

    thread = threading.Thread(target=run, name="measure-server-under-test")
    thread.start()
    try:
        assert began.wait(_WAIT_S), "the server did not start"
        if failures:
            raise failures[0]
        yield RunningServer(ready[0])
    finally:
        if thread.is_alive():
            loop.call_soon_threadsafe(serving.cancel)
        thread.join(_WAIT_S)
        assert not thread.is_alive(), "the server did not end"
        left = [one.name for one in threading.enumerate() if one not in before]
        assert not left, f"threads are left behind: {left}"
