"""`mektep-collector schools import`, as an operator meets it."""

import json
import subprocess
from pathlib import Path

from tests.support.running_collector import PROGRAM, answer, command, running_collector
from tests.support.school_table import table


def written(folder: Path, data: bytes) -> str:
    file = folder / "schools.csv"
    file.write_bytes(data)
    return str(file)


def test_the_first_import_adds_and_the_second_shows_what_differs(tmp_path: Path) -> None:
    data = tmp_path / "data"
    first = written(tmp_path, table({}, {"school_id": "0008"}))
    assert "2 added" in command("schools", "import", first, "--yes", data_dir=data).stderr
    second = written(tmp_path, table({"pupils": "600"}, {"school_id": "0009"}))
    shown = command("schools", "import", second, "--dry-run", data_dir=data).stderr
    assert "~ 0007  pupils: 526 -> 600" in shown
    assert "+ 0009" in shown
    assert "0008  is not in the file; it stays" in shown
    assert [school["pupils_count"] for school in answer("schools", "list", data_dir=data)["schools"]] == [526, 526]
    told = answer("schools", "import", second, "--yes", data_dir=data)
    assert told["applied"] is True
    assert told["added"] == ["0009"]
    assert told["changed"] == [{"school_id": "0007", "field": "pupils", "before": "526", "after": "600"}]
    assert (told["unchanged"], told["absent"]) == ([], ["0008"])
    again = answer("schools", "import", second, "--yes", data_dir=data)
    assert (again["applied"], again["unchanged"]) == (False, ["0007", "0009"])


def test_one_fault_keeps_every_row_out(tmp_path: Path) -> None:
    data = tmp_path / "data"
    file = written(tmp_path, table({}, {"school_id": "0008", "region": "KZ-VOS", "pupils": "many"}))
    refused = command("schools", "import", file, "--yes", data_dir=data, expect=1)
    assert "line 3, column 3 (region): 'KZ-VOS' is the code from before June 2022" in refused.stderr
    assert "line 3, column 6 (pupils)" in refused.stderr
    assert "nothing was imported: 2 faults" in refused.stderr
    assert answer("schools", "list", data_dir=data) == {"schools": []}
    as_json = command("schools", "import", file, "--yes", "--json", data_dir=data, expect=1)
    assert [fault["line"] for fault in json.loads(as_json.stdout)["faults"]] == [3, 3]


def test_nobody_is_asked_where_nobody_is(tmp_path: Path) -> None:
    file = written(tmp_path, table({}))
    refused = command("schools", "import", file, data_dir=tmp_path / "data", expect=2)
    assert "add --yes" in refused.stderr
    assert answer("schools", "list", data_dir=tmp_path / "data") == {"schools": []}


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    refused = command("schools", "import", str(tmp_path / "none.csv"), data_dir=tmp_path, expect=1)
    assert "none.csv cannot be read: No such file" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_schools_can_be_imported_by_several_at_once_while_the_collector_serves(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running_collector(data, "--no-measure") as collector:
        imports = []
        for number in range(4):
            file = tmp_path / f"{number}.csv"
            file.write_bytes(table(*({"school_id": f"{number}-{row}"} for row in range(50))))
            imports.append(
                subprocess.Popen(
                    [*PROGRAM, "schools", "import", str(file), "--yes", "--data-dir", str(data)],
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
        ended = [(one.communicate(timeout=60), one.returncode) for one in imports]
        assert [code for _, code in ended] == [0] * 4, ended
        assert len(answer("schools", "list", data_dir=data)["schools"]) == 200
        assert collector.get("/health/ready").status_code == 200


def test_a_data_directory_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    refused = command("schools", "list", data_dir=tmp_path / "data", expect=1)
    assert "cannot be opened" in refused.stderr
    assert "Traceback" not in refused.stderr
    spoiled = tmp_path / "spoiled"
    command("schools", "list", data_dir=spoiled)
    (spoiled / "registry.sqlite").write_bytes(b"not a database at all, but long enough to be looked at" * 100)
    refused = command("schools", "list", data_dir=spoiled, expect=1)
    assert "file is not a database" in refused.stderr
    assert "Traceback" not in refused.stderr
