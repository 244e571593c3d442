"""A batch on its way into the journal: opened, each reading judged by itself, nothing stored yet."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import msgspec

from mektep_collector.journal.gzip_member import compress
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
    """An opened batch: `readings` are the good ones, at `indexes` of the batch; `refused` are the fates of the others.

    `signature` has been checked against `device`'s key over the bytes that `body_gzip` holds compressed.
    """

    device: Device
    batch: Batch
    readings: Sequence[Reading]
    indexes: Sequence[int]
    refused: Sequence[Fate]
    received_at: datetime
    signature: bytes
    body_gzip: bytes


def open_submission(
    device: Device, body: bytes, body_gzip: bytes | None, signature: bytes, received_at: datetime
) -> Submission:
    """Decode the batch in `body`; a bad reading is refused by itself and the others stay.

    `body_gzip` is `body` as it came compressed, None where it did not. Raises WireError when the batch as a whole
    cannot be read, OtherDeviceError when it is not of `device`.
    """
    batch: Batch
    readings: Sequence[Reading]
    refused: list[Fate] = []
    try:
        typed = msgspec.json.decode(body, type=TypedBatch)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        batch = decode(Batch, body)
        readings, indexes, refused = _judge(batch.readings)
    else:
        batch = typed
        readings = typed.readings
        indexes = range(len(readings))
    if batch.device_id != device.id:
        raise OtherDeviceError(f"the batch is of device {batch.device_id}, but device {device.id} sent it")
    return Submission(
        device=device,
        batch=batch,
        readings=readings,
        indexes=indexes,
        refused=refused,
        received_at=received_at,
        signature=signature,
        body_gzip=body_gzip if body_gzip is not None else compress(body),
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
