"""Two agents on one computer never fill its line at once: shown in a network namespace of the test's own."""

import subprocess
import sys
from pathlib import Path

import pytest

from mektep_agent.link.one_test import only_test  # what the scripts below import, so that a rename is seen here

pytestmark = [pytest.mark.rights, pytest.mark.alone]
ROOT = Path(__file__).parents[2]
MODULE = only_test.__module__

TAKE_TURNS = f"""
import asyncio
from {MODULE} import OtherTestError, only_test

async def measure(target, seen, patience_s=20.0):
    async with only_test(target, patience_s):
        seen.append("begin")
        await asyncio.sleep(0.3)
        seen.append("end")

async def main():
    seen = []
    async with asyncio.TaskGroup() as tasks:
        for _ in range(3):
            tasks.create_task(measure("wss://measure.example", seen))
    print(*seen)
    seen = []
    async with asyncio.TaskGroup() as tasks:
        for _ in range(2):
            tasks.create_task(measure("ws://127.0.0.1:8081", seen))
    print(*seen)
    async with only_test("wss://measure.example"):
        try:
            await measure("wss://measure.example", seen, 0.1)
        except OtherTestError as error:
            print(error)

asyncio.run(main())
"""
HOLD_AND_DIE = f"""
import asyncio, os, signal
from {MODULE} import OtherTestError, only_test

async def hold(ready):
    async with only_test("wss://measure.example"):
        os.write(ready, b".")
        await asyncio.sleep(20)

async def claim(patience_s):
    async with only_test("wss://measure.example", patience_s):
        print("mine")

reads, writes = os.pipe()
child = os.fork()
if child == 0:
    asyncio.run(hold(writes))
os.read(reads, 1)
try:
    asyncio.run(claim(0.1))
except OtherTestError:
    print("taken")
os.kill(child, signal.SIGKILL)
os.waitpid(child, 0)
asyncio.run(claim(0.1))
"""


def _alone(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["unshare", "--net", sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip


def test_tests_take_turns_but_for_those_that_fill_no_line() -> None:
    done = _alone(TAKE_TURNS)
    lines = done.stdout.splitlines()
    assert lines[0] == "begin end begin end begin end", done.stderr
    assert lines[1] == "begin begin end end"
    assert lines[2] == "another test runs on this computer and does not end"


def test_what_was_killed_holds_nothing() -> None:
    done = _alone(HOLD_AND_DIE)
    assert done.stdout.split() == ["taken", "mine"], done.stderr
