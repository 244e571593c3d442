"""What is remembered of links: bounded, kept through restarts, and never in the way of a measurement."""

from datetime import timedelta
from pathlib import Path

import msgspec

from mektep_agent.config.state_folder import StateFolder
from mektep_agent.probes.audit.memory import KEPT_LINKS_COUNT, FolderMemory, Link, LinkRecord, read_links
from mektep_agent.statistics.trust import Trust
from mektep_wire import Direction
from tests.support.agent_time import MONDAY_NOON, SetTime


def record(number: int) -> LinkRecord:
    return LinkRecord(
        link=Link("ws://h:8081", Direction.UPLOAD, f"network {number}"),
        method="first_seconds/1",
        at=MONDAY_NOON + timedelta(hours=number),
        learnt=msgspec.Raw(b'{"burst_bytes":20000000}'),
        trust=Trust(errors_ratio=(0.01, -0.02), audits_count=2),
    )


def test_a_folder_without_a_file_knows_nothing(tmp_path: Path) -> None:
    assert FolderMemory(StateFolder(tmp_path), SetTime()).recall(record(1).link) is None
    assert read_links(StateFolder(tmp_path)) == []


def test_records_come_back_as_they_were(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    first = FolderMemory(folder, SetTime())
    first.keep(record(1))
    first.keep(record(2))
    first.keep(msgspec.structs.replace(record(1), trust=Trust()))
    again = FolderMemory(folder, SetTime())
    assert again.recall(record(2).link) == record(2)
    kept = again.recall(record(1).link)
    assert kept is not None
    assert kept.trust == Trust()


def test_of_too_many_links_those_go_whose_audit_is_longest_ago(tmp_path: Path) -> None:
    memory = FolderMemory(StateFolder(tmp_path), SetTime())
    for number in range(KEPT_LINKS_COUNT):
        memory.keep(record(number))
    memory.keep(record(0))
    memory.keep(record(KEPT_LINKS_COUNT))
    assert memory.recall(record(1).link) is None
    assert memory.recall(record(0).link) is not None
    assert len(read_links(StateFolder(tmp_path))) == KEPT_LINKS_COUNT


def test_a_damaged_file_is_set_aside_and_measuring_goes_on(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    for damage in (b"", b"[{", b'[{"link": 5}]', b"\xff\xfe"):
        folder.links.write_bytes(damage)
        memory = FolderMemory(folder, SetTime())
        assert memory.recall(record(1).link) is None
        memory.keep(record(1))
        assert read_links(folder) == [record(1)]
    assert len(list(tmp_path.glob("links-corrupt-*.json"))) == 4


def test_a_disk_that_takes_nothing_ends_no_measurement(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    memory = FolderMemory(StateFolder(tmp_path / "state"), SetTime())
    memory.keep(record(1))
    assert memory.recall(record(1).link) == record(1)
