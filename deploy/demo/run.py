"""The whole line on one machine: a collector with its measuring server, one real agent, one real measurement.

Everything that happens is what would happen in a school: the same programs, the same commands, real sockets. Only the
school is an example, and the link is this machine's own loopback. State lives in a folder that is removed at the end.
"""

import argparse
import json
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

PROGRAMS = Path(sys.executable).parent
SCHOOLS = Path(__file__).parents[2] / "docs" / "examples" / "schools.csv"
READY_TIMEOUT_S = 60.0
PAGE_TIMEOUT_S = 60.0


class DemoError(Exception):
    """The line broke; the message says at which joint."""


def say(text: str) -> None:
    """Tell the person at the terminal what happens."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def call(*arguments: str, timeout_s: float = 120.0) -> str:
    """Run one of the project's commands and return what it printed; raises DemoError with its own words."""
    done = subprocess.run(  # noqa: S603 (the project's own programs)
        [str(PROGRAMS / arguments[0]), *arguments[1:]], capture_output=True, text=True, timeout=timeout_s, check=False
    )
    if done.returncode != 0:
        raise DemoError(f"`{' '.join(arguments[:3])} ...` ended with {done.returncode}:\n{done.stderr.strip()}")
    return done.stdout


@contextmanager
def running(log: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Keep one of the project's programs running; end it gently, then firmly."""
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(  # noqa: S603 (the project's own programs)
            [str(PROGRAMS / arguments[0]), *arguments[1:]], stdout=subprocess.PIPE, stderr=errors, text=True
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()


def until(condition: Callable[[], bool], timeout_s: float, what: str) -> None:
    """Wait for a condition; raises DemoError when it does not come."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise DemoError(f"waited {timeout_s:.0f} s in vain for {what}")
        time.sleep(0.1)


def fetch(url: str) -> str:
    """Return the text of a page of the collector, empty where there is no such page yet."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 (our own loopback address)
            text: str = answer.read().decode("utf-8")
    except urllib.error.HTTPError:
        return ""
    return text


def shows(page: str, readings: list[dict[str, Any]]) -> bool:
    """Tell whether the page's big numbers show the throughput of every good reading, within its rounding."""
    numbers = [float(shown.replace(",", "")) for shown in re.findall(r'class="number">([0-9.,]+)<', page)]
    measured = [
        reading["values"][f"{reading['direction']}_throughput_mbps"]
        for reading in readings
        if reading["probe"] == "throughput" and reading["outcome"] == "ok"
    ]
    return bool(measured) and all(any(abs(one - value) <= 0.01 * value for one in numbers) for value in measured)


def ready(process: subprocess.Popen[str], log: Path) -> dict[str, str]:
    """Return the addresses that the collector prints once it listens; raises DemoError with its log's end."""
    if process.stdout is None:
        raise DemoError("the collector's output is not ours to read")
    line = process.stdout.readline()
    if not line:
        process.wait(10)
        raise DemoError(f"the collector did not start:\n{log.read_text('utf-8')[-3_000:]}")
    addresses: dict[str, str] = json.loads(line)
    return addresses


def show(readings: list[dict[str, Any]]) -> None:
    """Print each reading on a line: what, outcome, values with their n."""
    for reading in readings:
        counts = reading.get("sample_counts", {})
        values = reading.get("values", {})
        words = [f"{metric} {value:.2f} (n = {counts[metric]})" for metric, value in values.items()]
        if "failure" in reading:
            words.append(f"{reading['failure']['kind']}: {reading['failure'].get('detail', '')}")
        what = " ".join(filter(None, (reading["probe"], reading.get("direction"), f"by {reading['engine']}")))
        say(f"  {what}: {reading['outcome']}, {', '.join(words)}")


def line(place: Path, stack: ExitStack) -> str:
    """Put the whole line up, run one measurement, and return the address of the school's page once it shows it."""
    data, state = str(place / "collector"), str(place / "agent")
    say("Importing an example school ...")
    call("mektep-collector", "schools", "import", str(SCHOOLS), "--data-dir", data, "--yes")
    say("Starting the collector and its measuring server ...")
    log = place / "collector.log"
    serve = ["mektep-collector", "serve", "--data-dir", data, "--host", "127.0.0.1", "--port", "0", "--json"]
    addresses = ready(stack.enter_context(running(log, *serve, "--ndt7-port", "0", "--echo-port", "0")), log)
    school = json.loads(call("mektep-collector", "schools", "list", "--data-dir", data, "--json"))["schools"][0]["id"]
    code = json.loads(call("mektep-collector", "code", "new", school, "--data-dir", data, "--json"))["codes"][0]["code"]

    say("Enrolling this computer as a device of the school ...")
    began = time.monotonic()
    call("mektep-agent", "enrol", addresses["collector"], "--code", code, "--state-dir", state)
    say("Measuring, about half a minute ...")
    printed = call("mektep-agent", "run", "--once", "--json", "--state-dir", state)
    readings = json.loads(printed)["readings"]
    show(readings)
    page = f"{addresses['collector']}/schools/{school}"
    until(lambda: shows(fetch(f"{page}?lang=en"), readings), PAGE_TIMEOUT_S, f"the reading on {page}")
    say(f"From enrolment to the reading on the page: {time.monotonic() - began:.1f} s")
    return page


def main() -> int:
    """Run the line; return 0 when the reading reached the page."""
    options = argparse.ArgumentParser(description="The whole line of Mektep Meter on this machine.")
    options.add_argument("--once", action="store_true", help="end after the first reading has reached the page")
    once: bool = options.parse_args().once
    signal.signal(signal.SIGTERM, _interrupt)
    with tempfile.TemporaryDirectory(prefix="mektep-demo-") as folder, ExitStack() as stack:
        place = Path(folder)
        try:
            page = line(place, stack)
            say(f"\nThe reading is on the page: {page}")
            if not once:
                state = str(place / "agent")
                stack.enter_context(running(place / "agent.log", "mektep-agent", "run", "--state-dir", state))
                say("The agent goes on measuring by its schedule. End with Ctrl-C.")
                while True:
                    time.sleep(3_600)
        except DemoError as error:
            say(f"\nThe demonstration failed: {error}")
            return 1
        except KeyboardInterrupt:
            say("\nEnded.")
    return 0


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
