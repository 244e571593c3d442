"""The outbox: numbering without a gap, settling, thinning, and what it does with a damaged file."""

import random
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from mektep_agent.config.state_folder import StateFolder
from mektep_agent.outbox.look import look_into
from mektep_agent.outbox.parcel import OutboxFullError, Rejection
from mektep_agent.outbox.queue import MAX_DEAD_COUNT, Outbox
from mektep_wire import Outcome, ProbeName, Reading, decode
from tests.support.agent_time import SetTime, a_reading

Opener = Callable[..., Outbox]
CHANCE = random.Random(7)


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "state")


@pytest.fixture
def opened(folder: StateFolder) -> Iterator[Opener]:
    outboxes: list[Outbox] = []

    def opener(max_bytes: int = 67_108_864, ballast_bytes: int = 0) -> Outbox:
        outbox = Outbox(
            folder, SetTime(), random.Random(len(outboxes)), max_bytes=max_bytes, ballast_bytes=ballast_bytes
        )
        outboxes.append(outbox)
        return outbox

    yield opener
    for outbox in outboxes:
        outbox.close()


def _seqs(outbox: Outbox) -> list[int]:
    return [one.seq for one in outbox.parcel(500, 10**9).queued]


def test_readings_are_numbered_from_one_without_a_gap_across_openings(opened: Opener) -> None:
    first = opened()
    numbered = first.put([a_reading(CHANCE), a_reading(CHANCE)])
    first.close()
    second = opened()
    later = second.put([a_reading(CHANCE)])
    assert [reading.seq for reading in (*numbered, *later)] == [1, 2, 3]
    assert {reading.epoch for reading in (*numbered, *later)} == {second.epoch}


def test_a_seq_is_not_given_again_once_its_reading_was_settled(opened: Opener) -> None:
    outbox = opened()
    outbox.put([a_reading(CHANCE)])
    outbox.settle(outbox.epoch, [1], [])
    assert [reading.seq for reading in outbox.put([a_reading(CHANCE)])] == [2]


def test_a_parcel_holds_the_readings_as_numbered_oldest_first(opened: Opener) -> None:
    outbox = opened()
    numbered = outbox.put([a_reading(CHANCE) for _ in range(5)])
    parcel = outbox.parcel(3, 10**6)
    assert [decode(Reading, one.payload) for one in parcel.queued] == list(numbered[:3])
    assert [one.seq for one in outbox.parcel(500, 10**6, after_seq=3).queued] == [4, 5]


def test_a_parcel_keeps_to_its_bytes_but_never_stays_empty(opened: Opener) -> None:
    outbox = opened()
    outbox.put([a_reading(CHANCE) for _ in range(5)])
    size_bytes = len(outbox.parcel(1, 10**6).queued[0].payload)
    assert len(outbox.parcel(500, 2 * size_bytes + 2).queued) == 2
    assert len(outbox.parcel(500, 1).queued) == 1


def test_what_is_rejected_goes_to_the_dead_letters_with_its_reason(opened: Opener, folder: StateFolder) -> None:
    outbox = opened()
    outbox.put([a_reading(CHANCE), a_reading(CHANCE)])
    outbox.settle(outbox.epoch, [], [Rejection(1, "$.values", "outside its bounds")])
    census = outbox.census()
    assert (census.queued_count, census.dead_count, _seqs(outbox)) == (1, 1, [2])
    connection = sqlite3.connect(folder.outbox)
    assert connection.execute("SELECT seq, field, reason FROM dead").fetchall() == [
        (1, "$.values", "outside its bounds")
    ]
    connection.close()


def test_dead_letters_are_bounded(opened: Opener) -> None:
    outbox = opened()
    count = MAX_DEAD_COUNT + 5
    outbox.put([a_reading(CHANCE) for _ in range(count)])
    outbox.settle(outbox.epoch, [], [Rejection(seq, "$", "no") for seq in range(1, count + 1)])
    assert outbox.census().dead_count == MAX_DEAD_COUNT


def test_marks_and_readings_stand_or_fall_together(opened: Opener) -> None:
    outbox = opened()
    outbox.put([a_reading(CHANCE)], ["2026-11-23/1"])
    with pytest.raises(sqlite3.ProgrammingError):
        outbox.put([a_reading(CHANCE)], [object()])  # type: ignore[list-item]
    assert (set(outbox.marks()), _seqs(outbox)) == ({"2026-11-23/1"}, [1])
    outbox.unmark(["2026-11-23/1"])
    assert outbox.marks() == frozenset()


def test_at_its_cap_old_latency_goes_first_and_is_counted(opened: Opener) -> None:
    outbox = opened(max_bytes=262_144)
    evidence = outbox.put([a_reading(CHANCE, probe=ProbeName.THROUGHPUT) for _ in range(20)])
    for _ in range(60):
        outbox.put([a_reading(CHANCE) for _ in range(20)])
    census = outbox.census()
    kept = _seqs(outbox)
    assert census.file_bytes <= 262_144
    assert census.dropped_count == 20 + 60 * 20 - census.queued_count > 0
    assert {reading.seq for reading in evidence} <= set(kept)
    assert kept[-1] == census.last_seq == 20 + 60 * 20


def test_when_nothing_of_little_worth_is_left_the_oldest_evidence_goes(opened: Opener) -> None:
    outbox = opened(max_bytes=262_144)
    for _ in range(60):
        outbox.put([a_reading(CHANCE, probe=ProbeName.THROUGHPUT) for _ in range(20)])
    kept = _seqs(outbox)
    assert outbox.census().dropped_count > 0
    assert kept == list(range(kept[0], 1_201))


def test_readings_that_no_room_can_be_made_for_are_refused_and_nothing_else_is_lost(opened: Opener) -> None:
    outbox = opened(max_bytes=262_144)
    outbox.put([a_reading(CHANCE)])
    with pytest.raises(OutboxFullError, match="outbox_max_bytes"):
        outbox.put([a_reading(CHANCE, outcome=Outcome.FAILED, detail="x" * 500) for _ in range(2_000)])
    assert outbox.census().last_seq == 1
    assert [reading.seq for reading in outbox.put([a_reading(CHANCE)])] == [2]


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:9_000])


def _blank(file: Path) -> None:
    file.write_bytes(b"")


def _garble(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[5_000:9_000] = random.Random(1).randbytes(4_000)
    file.write_bytes(content)


def _replace(file: Path) -> None:
    file.write_bytes(b"PK\x03\x04 not a database" * 100)


def _empty_of_tables(file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.execute("DROP TABLE reading")
    connection.commit()
    connection.close()


@pytest.mark.parametrize("harm", [_cut, _blank, _garble, _replace, _empty_of_tables])
def test_a_damaged_outbox_is_set_aside_whole_and_a_new_epoch_begun(
    opened: Opener, folder: StateFolder, harm: Callable[[Path], None]
) -> None:
    first = opened()
    first.put([a_reading(CHANCE) for _ in range(40)])
    epoch = first.epoch
    first.close()
    harm(folder.outbox)
    damaged = folder.outbox.read_bytes()
    second = opened()
    (aside,) = second.set_aside
    assert Path(aside.file).name.startswith("outbox-corrupt-20261123T070000Z")
    assert Path(aside.file).read_bytes() == damaged
    assert second.epoch != epoch
    assert [reading.seq for reading in second.put([a_reading(CHANCE)])] == [1]


def test_two_files_set_aside_in_the_same_second_both_stay(opened: Opener, folder: StateFolder) -> None:
    opened().close()
    for _ in range(2):
        _replace(folder.outbox)
        opened().close()
    assert len(list(folder.path.glob("outbox-corrupt-*.sqlite"))) == 2


def test_damage_while_running_loses_no_reading_at_hand(opened: Opener, folder: StateFolder) -> None:
    outbox = opened()
    outbox.put([a_reading(CHANCE) for _ in range(200)])
    epoch = outbox.epoch
    _replace(folder.outbox)
    (reading,) = outbox.put([a_reading(CHANCE)], ["2026-11-23/2"])
    assert (reading.epoch, reading.seq) == (outbox.epoch, 1)
    assert outbox.epoch != epoch
    assert len(outbox.set_aside) == 1


def test_an_outbox_that_somebody_deleted_is_begun_anew(opened: Opener, folder: StateFolder) -> None:
    outbox = opened()
    outbox.put([a_reading(CHANCE)])
    epoch = outbox.epoch
    folder.outbox.unlink()
    (reading,) = outbox.put([a_reading(CHANCE)])
    assert (reading.seq, folder.outbox.exists(), reading.epoch != epoch) == (1, True, True)


def test_a_receipt_for_a_file_that_was_set_aside_settles_nothing(opened: Opener, folder: StateFolder) -> None:
    outbox = opened()
    outbox.put([a_reading(CHANCE)])
    epoch = outbox.epoch
    _replace(folder.outbox)
    outbox.put([a_reading(CHANCE)])
    outbox.settle(epoch, [1], [])
    assert _seqs(outbox) == [1]


def test_a_journal_left_by_a_lost_outbox_does_not_reach_the_new_one(opened: Opener, folder: StateFolder) -> None:
    opened().close()
    folder.outbox.unlink()
    journal = Path(f"{folder.outbox}-journal")
    journal.write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + bytes(4_096))
    outbox = opened()
    outbox.put([a_reading(CHANCE)])
    assert _seqs(outbox) == [1]
    assert list(folder.path.glob("outbox-corrupt-*journal*")) + list(folder.path.glob("*.sqlite-journal-corrupt*"))


def test_the_ballast_is_held_again_after_it_was_given_up(opened: Opener, folder: StateFolder) -> None:
    outbox = opened(ballast_bytes=131_072)
    ballast = folder.path / "outbox.ballast"
    assert ballast.stat().st_size == 131_072
    ballast.unlink()
    outbox.settle(outbox.epoch, [], [])
    assert ballast.stat().st_size == 131_072


def test_another_process_sees_census_and_notes_and_writes_nothing(opened: Opener, folder: StateFolder) -> None:
    assert look_into(folder.outbox, ("delivery",)) is None
    outbox = opened()
    outbox.put([a_reading(CHANCE)])
    outbox.keep_note("delivery", b"{}")
    outbox.keep_note("other", b"1")
    seen = look_into(folder.outbox, ("delivery",))
    assert seen is not None
    assert msgspec.structs.replace(seen[0], file_bytes=0) == msgspec.structs.replace(outbox.census(), file_bytes=0)
    assert (seen[1], outbox.note("other"), outbox.note("none")) == ({"delivery": b"{}"}, b"1", None)
