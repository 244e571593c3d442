"""PostgreSQL, the program itself: started on a socket in a folder of its own, by a user who is nobody else."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

_HOMES = Path("/usr/lib/postgresql")
_USER = "postgres"
_START_S = 60


def postgresql_obstacle() -> str | None:
    """Return why PostgreSQL cannot be run here, None where it can."""
    if _programs() is None:
        return "PostgreSQL is missing; deploy/test/install-peers installs it where it may"
    if os.geteuid() != 0:
        return "PostgreSQL is started as a user of its own, which takes root"
    return None


class RunningPostgresql:
    """A server; `database` makes an empty database of it."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._folder = folder
        self._databases_count = 0

    def database(self) -> str:
        """Return the address of a new database, as the collector's settings name it."""
        self._databases_count += 1
        name = f"registry_{self._databases_count}"
        _as_user(str(self._programs / "createdb"), "--host", str(self._folder), name)
        return f"postgresql://{_USER}@/{name}?host={self._folder}"

    @property
    def process(self) -> psutil.Process:
        """Return the server's first process; each connection has a child of it."""
        told = (self._folder / "data" / "postmaster.pid").read_text("ascii")
        return psutil.Process(int(told.splitlines()[0]))

    def stop(self, how: str = "fast") -> None:
        """Stop it: `fast` in good order, `immediate` as a kill does."""
        control = str(self._programs / "pg_ctl")
        _as_user(control, "--pgdata", str(self._folder / "data"), "--mode", how, "--wait", "stop")

    def kill(self) -> None:
        """Kill every process of it at once, as a computer that loses its power does; it left nothing in order."""
        first = psutil.Process(int((self._folder / "data" / "postmaster.pid").read_text("ascii").partition("\n")[0]))
        processes = [first, *first.children(recursive=True)]
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes, timeout=_START_S)

    def start(self) -> None:
        """Start it, and return when it answers."""
        options = f"-c listen_addresses= -c unix_socket_directories={self._folder} -c max_connections=50"
        control, data = str(self._programs / "pg_ctl"), str(self._folder / "data")
        log = str(self._folder / "log")
        _as_user(control, "--pgdata", data, "--options", options, "--log", log, "--wait", "start")


@contextmanager
def running_postgresql(folder: Path) -> Generator[RunningPostgresql, None, None]:
    """Run a server in the new folder `folder`, which is given to its user, for the time of the block."""
    programs = _programs()
    assert programs is not None, postgresql_obstacle()
    folder.mkdir()
    shutil.chown(folder, _USER)
    options = ("--auth", "trust", "--encoding", "UTF8", "--no-locale")
    _as_user(str(programs / "initdb"), "--pgdata", str(folder / "data"), *options)
    server = RunningPostgresql(programs, folder)
    server.start()
    try:
        yield server
    finally:
        server.stop("immediate")


def _programs() -> Path | None:
    found = sorted(_HOMES.glob("*/bin/initdb"))
    return found[-1].parent if found else None


def _as_user(*command: str) -> None:
    who = pwd.getpwnam(_USER)
    done = subprocess.run(
        command, user=who.pw_uid, group=who.pw_gid, extra_groups=[], cwd="/", check=False,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=_START_S,
    )  # fmt: skip
    assert done.returncode == 0, f"{command[0]} failed: {done.stderr}"
