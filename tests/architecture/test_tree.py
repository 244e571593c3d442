"""The tree shows the architecture: no dumping grounds, the top level as designed, no stray paths or hosts."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DUMPING_GROUNDS = re.compile(r"(^|_)(utils?|helpers?|common|misc|services?|managers?|base|impl)$")
TOP_FOLDERS = {".ci", "agent", "collector", "dashboards", "deploy", "docs", "requirements", "tests"}


def _tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return [Path(line) for line in listed.stdout.splitlines() if (ROOT / line).exists()]


TRACKED = _tracked()
TEXT = [path for path in TRACKED if path.suffix in {".py", ".md", ".toml", ".lock", ".yml", ".json", ".c", ".js", ""}]


def test_no_file_or_folder_has_a_name_that_says_nothing() -> None:
    assert [str(path) for path in TRACKED for part in path.with_suffix("").parts if DUMPING_GROUNDS.search(part)] == []


def test_the_top_level_is_as_designed() -> None:
    assert {path.parts[0] for path in TRACKED if len(path.parts) > 1} <= TOP_FOLDERS


def test_no_file_of_code_is_a_book() -> None:
    packages = ("agent", "collector", "dashboards")
    long = {
        str(path): count
        for path in TRACKED
        if path.suffix == ".py" and path.parts[0] in packages
        if (count := len((ROOT / path).read_text("utf-8").splitlines())) > 400
    }
    assert long == {}


@pytest.mark.parametrize("path", [path for path in TEXT if path.name != "test_tree.py"], ids=str)
def test_no_file_names_a_package_registry_or_a_path_of_one_machine(path: Path) -> None:
    text = (ROOT / path).read_text("utf-8")
    registries = r"(files\.pythonhosted|pypi|registry\.npmjs|registry\.yarnpkg|proxy\.golang)\.(org|com)"
    assert not re.search(registries, text), "name packages, not the host that they come from"
    assert not re.search(r"(^|[\s\"'(=])/(work|root|farm)/", text), "a path of one machine"
    assert not re.search(r"--(extra-)?index-url|\"resolved\": *\"http", text), "locks hold no addresses"


def test_the_lock_has_a_hash_for_every_package() -> None:
    for lock in sorted((ROOT / "requirements").glob("*.lock")):
        blocks = [block for block in re.split(r"\n(?=\S)", lock.read_text("utf-8")) if "==" in block.split("\n")[0]]
        assert blocks, lock.name
        assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == [], lock.name


def test_tests_use_real_parts() -> None:
    mocking = re.compile(r"^\s*(from|import) (unittest\.mock|unittest import mock|pytest_mock)", re.MULTILINE)
    tests = [path for path in TRACKED if path.parts[0] == "tests" and path.suffix == ".py"]
    assert [str(path) for path in tests if mocking.search((ROOT / path).read_text("utf-8"))] == []
