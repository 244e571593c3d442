"""The agent runs where the collector is absent, and the built wheel runs in an empty environment."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

BLOCKED = """
import importlib, pkgutil, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"{{name}} is not there for this test", name=name)
        return None

sys.meta_path.insert(0, Absent())
import {package}
for module in pkgutil.walk_packages({package}.__path__, "{package}."):
    # A program's entry and alembic's scripts run as they are imported.
    if not module.name.endswith("__main__") and ".migrations" not in module.name:
        importlib.import_module(module.name)
print("imported")
"""


def _import_without(package: str, blocked: set[str]) -> str:
    script = BLOCKED.format(package=package, blocked=blocked)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr[-2_000:]
    return done.stdout


def test_every_module_of_the_agent_imports_without_the_collector_and_its_libraries() -> None:
    absent = {"mektep_collector", "mektep_dashboards", "fastapi", "jinja2", "sqlalchemy", "apsw", "duckdb", "pyarrow"}
    assert "imported" in _import_without("mektep_agent", absent)


def test_every_module_of_the_wire_imports_with_nothing_but_msgspec() -> None:
    absent = {"mektep_agent", "mektep_collector", "mektep_dashboards", "cryptography", "httpx", "fastapi", "pydantic"}
    assert "imported" in _import_without("mektep_wire", absent)


def test_every_module_of_the_collector_imports_without_the_agent() -> None:
    assert "imported" in _import_without("mektep_collector", {"mektep_agent", "psutil", "holidays", "truststore"})


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel, install it with the locked dependencies in an empty environment, return its programs."""
    place = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(place), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True, timeout=120)
    (wheel,) = place.glob("*.whl")
    venv.create(place / "environment", with_pip=True)
    programs = place / "environment" / ("Scripts" if os.name == "nt" else "bin")
    pip = [str(programs / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    lock = ROOT / "requirements" / "collector.lock"
    subprocess.run([*pip, "--require-hashes", "-r", str(lock)], check=True, capture_output=True, timeout=300)
    lock = ROOT / "requirements" / "agent.lock"
    subprocess.run([*pip, "--require-hashes", "-r", str(lock)], check=True, capture_output=True, timeout=300)
    subprocess.run([*pip, "--no-deps", str(wheel)], check=True, capture_output=True, timeout=120)
    return programs


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("program", ["mektep-agent", "mektep-collector"])
def test_the_built_wheel_runs_in_an_empty_environment(installed: Path, program: str, tmp_path: Path) -> None:
    run = [str(installed / program), "--version"]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip()


@pytest.mark.slow
def test_the_wheel_carries_what_is_not_python(installed: Path) -> None:
    (site,) = (installed.parent / "lib").glob("python*/site-packages")
    for pattern in (
        "mektep_dashboards/templates/*.html",
        "mektep_dashboards/static/*.css",
        "mektep_dashboards/locale/kk/LC_MESSAGES/*.po",
        "mektep_collector/registry/migrations/versions/*.py",
        "mektep_*/py.typed",
    ):
        assert list(site.glob(pattern)), f"the wheel lacks {pattern}"
