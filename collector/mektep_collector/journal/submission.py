"""A batch on its way into the journal: opened, each reading judged by itself, nothing stored yet."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import msgspec

from mektep_collector.journal.correction import corrected, sending
from mektep_collector.journal.entry import TimeMethod
from mektep_collector.registry.records import Device
from mektep_wire import Batch, Fate, FateOutcome, Reading, WireError, decode
from mektep_wire.batch import MAX_BATCH_READINGS

_MAX_TEXT = 500


class TypedBatch(Batch, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A batch of which every reading is good, decoded in one go."""

    readings: Annotated[Sequence[Reading], msgspec.Meta(min_length=1, max_length=MAX_BATCH_READINGS)]  # type: ignore[assignment] # the same JSON, one step further decoded


class OtherDeviceError(ValueError):
    """The batch says that it is of another device than the one that sent it."""


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """An opened batch: columns of its good readings, at `indexes` of the batch; `refused` are the fates of the others.

    `times_us` and `methods` are the readings' corrected times. `signature` has been checked against `device`'s key.
    The readings themselves are not kept: some thousands of objects that wait for the disk cost acceptance a quarter of
    its processor time, and who needs them reads them again from `body`, which is as it was sent and signed.
    """

    device: Device
    batch_id: str
    epochs: Sequence[str]
    seqs: Sequence[int]
    times_us: Sequence[int]
    methods: Sequence[TimeMethod]
    indexes: Sequence[int]
    refused: Sequence[Fate]
    received_at: datetime
    signature: bytes
    body: bytes


def open_submission(device: Device, plain: bytes, body: bytes, signature: bytes, received_at: datetime) -> Submission:
    """Decode the batch in `plain`; a bad reading is refused by itself and the others stay.

    `body` is the same as it was sent and signed, compressed or not. Raises WireError when the batch as a whole
    cannot be read, OtherDeviceError when it is not of `device`.
    """
    batch: Batch
    readings: Sequence[Reading]
    refused: list[Fate] = []
    try:
        typed = msgspec.json.decode(plain, type=TypedBatch)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        batch = decode(Batch, plain)
        readings, indexes, refused = _judge(batch.readings)
    else:
        batch = typed
        readings = typed.readings
        indexes = range(len(readings))
    if batch.device_id != device.id:
        raise OtherDeviceError(f"the batch is of device {batch.device_id}, but device {device.id} sent it")
    times_us, methods = corrected(readings, sending(batch, received_at, device.enrolled_at))
    return Submission(
        device=device,
        batch_id=batch.id,
        epochs=[reading.epoch for reading in readings],
        seqs=[reading.seq for reading in readings],
        times_us=times_us,
        methods=methods,
        indexes=indexes,
        refused=refused,
        received_at=received_at,
        signature=signature,
        body=body,
    )


def _judge(raws: Sequence[msgspec.Raw]) -> tuple[list[Reading], Sequence[int], list[Fate]]:
    readings: list[Reading] = []
    indexes: list[int] = []
    refused: list[Fate] = []
    for index, raw in enumerate(raws):
        try:
            readings.append(decode(Reading, raw))
            indexes.append(index)
        except WireError as error:
            field = f"$.readings[{index}]{error.field.removeprefix('$')}"
            refused.append(
                Fate(
                    index=index,
                    outcome=FateOutcome.REJECTED,
                    field=field[:_MAX_TEXT],
                    reason=error.reason[:_MAX_TEXT],
                )
            )
    return readings, indexes, refused
