"""Nothing of a laboratory is left over, however it ended."""

import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

import pytest

from tests.support.links import Laboratory, LaboratoryError, laboratory, symmetric
from tests.support.links.namespace import FOLDER, PREFIX, remove_leftovers

pytestmark = [pytest.mark.rights, pytest.mark.alone]

ROOT = Path(__file__).parents[2]
MAKER = """
import sys, time
from tests.support.links import laboratory, symmetric
with laboratory(symmetric(20, 40)) as lab:
    sleeper = lab.school.popen(["sleep", "1000"])
    print(lab.school.name, lab.server.name, sleeper.pid, flush=True)
    time.sleep(1000)
"""


class Interruption(Exception):
    """What a test may raise in the middle of a laboratory."""


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def interrupted(laboratories: list[Laboratory], programs: list[subprocess.Popen[str]]) -> None:
    with laboratory(symmetric(20, 40), symmetric(50, 10)) as lab:
        laboratories.append(lab)
        programs.append(lab.school.popen(["sh", "-c", "trap '' TERM; while :; do sleep 1; done"]))
        programs.append(lab.server.popen(["sleep", "1000"]))
        assert all(host.path.exists() for host in lab.hosts)
        raise Interruption


def test_an_exception_leaves_no_namespace_and_no_process() -> None:
    laboratories: list[Laboratory] = []
    programs: list[subprocess.Popen[str]] = []
    with pytest.raises(Interruption):
        interrupted(laboratories, programs)
    assert not any(host.path.exists() for host in laboratories[0].hosts)
    assert all(program.poll() is not None for program in programs)


def test_what_a_killed_maker_left_is_removed_by_the_next() -> None:
    with subprocess.Popen([sys.executable, "-c", MAKER], cwd=ROOT, stdout=subprocess.PIPE, text=True) as maker:
        assert maker.stdout is not None
        school, server, sleeper = maker.stdout.readline().split()
        maker.send_signal(signal.SIGKILL)
    assert (FOLDER / school).exists()
    assert {school, server} <= set(remove_leftovers())
    assert not (FOLDER / school).exists()
    assert not (FOLDER / server).exists()
    deadline_s = monotonic() + 5
    while is_alive(int(sleeper)):
        assert monotonic() < deadline_s
        sleep(0.01)


def test_two_laboratories_at_once_do_not_meet() -> None:
    with laboratory(symmetric(20, 10)) as one, laboratory(symmetric(20, 60)) as other:
        assert one.school.name != other.school.name
        assert other.school.name.startswith(PREFIX)
        one.cut()
        assert other.school.run(["ping", "-c", "1", "-W", "2", other.server.ipv4]).returncode == 0
        assert one.school.run(["ping", "-c", "1", "-W", "1", one.server.ipv4], check=False).returncode != 0


def test_trouble_of_the_laboratory_is_said_in_words() -> None:
    with laboratory(symmetric(20, 10)) as lab:
        with pytest.raises(LaboratoryError, match="tcp_congestion_control cannot be set to 'nonesuch' in school"):
            lab.school.set("net.ipv4.tcp_congestion_control", "nonesuch")
        with pytest.raises(LaboratoryError, match="nothing listens on port 9 in server"):
            lab.server.await_listener(9, timeout_s=0.1)
