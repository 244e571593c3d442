"""A batch on its way into the journal: opened, each reading judged by itself, nothing stored yet."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

import msgspec

from mektep_collector.journal.correction import corrected, sending
from mektep_collector.journal.entry import TimeMethod
from mektep_collector.registry.records import Device
from mektep_wire import (
    Batch,
    Columns,
    Fate,
    FateOutcome,
    Origin,
    Reading,
    WireError,
    are_good,
    decode,
    pack,
    rows,
    select,
)
from mektep_wire.columns import Coded

_MAX_TEXT = 500
_MEASURED: Coded[Origin] = Coded((Origin.MEASURED,))


class TypedBatch(Batch, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A batch of which every column is good, decoded in one go."""

    readings: Columns  # type: ignore[assignment] # the same JSON, one step further decoded


_TYPED: Final = msgspec.json.Decoder(TypedBatch)


class OtherDeviceError(ValueError):
    """The batch says that it is of another device than the one that sent it."""


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """An opened batch: columns of its good readings, at `indexes` of the batch; `refused` are the fates of the others.

    `columns` is None where none is good. `times_us` and `methods` are the readings' corrected times. `signature` has
    been checked against `device`'s key over `body`, which is as it was sent.
    """

    device: Device
    batch_id: str
    columns: Columns | None
    times_us: Sequence[int]
    methods: Sequence[TimeMethod]
    indexes: Sequence[int]
    refused: Sequence[Fate]
    received_at: datetime
    signature: bytes
    body: bytes


class Opened(msgspec.Struct, frozen=True):
    """The batch as it says itself, and its readings judged."""

    batch: Batch
    columns: Columns | None
    indexes: Sequence[int]
    refused: Sequence[Fate]


def open_submission(device: Device, plain: bytes, body: bytes, signature: bytes, received_at: datetime) -> Submission:
    """Decode the batch in `plain`; a bad reading is refused by itself and the others stay.

    `body` is the same as it was sent and signed, compressed or not. Raises WireError when the batch as a whole
    cannot be read, OtherDeviceError when it is not of `device`.
    """
    opened = open_batch(plain)
    batch = opened.batch
    if batch.device_id != device.id:
        raise OtherDeviceError(f"the batch is of device {batch.device_id}, but device {device.id} sent it")
    opened = _of_origin(opened, device.origin)
    times_us: Sequence[int] = ()
    methods: Sequence[TimeMethod] = ()
    if opened.columns is not None:
        times_us, methods = corrected(opened.columns, sending(batch, received_at, device.enrolled_at))
    return Submission(
        device=device,
        batch_id=batch.id,
        columns=opened.columns,
        times_us=times_us,
        methods=methods,
        indexes=opened.indexes,
        refused=opened.refused,
        received_at=received_at,
        signature=signature,
        body=body,
    )


def _of_origin(opened: Opened, origin: Origin) -> Opened:
    """Refuse readings that do not bear the mark of what their device makes: simulated data never passes for measured.

    What a simulated device sends is simulated, and from a device that measures nothing simulated is taken.
    """
    columns = opened.columns
    if columns is None:
        return opened
    told = columns.origin if columns.origin is not None else _MEASURED
    if all(each is origin for each in told.table):
        return opened
    places = told.at if told.at is not None else [0] * len(columns.seq)
    own = [told.table[place] is origin for place in places]
    refused = [
        Fate(
            index=index,
            outcome=FateOutcome.REJECTED,
            field=f"$.readings[{index}].origin",
            reason=f"the device was enrolled for {origin.value} readings; one that says otherwise is refused",
        )
        for index, is_own in zip(opened.indexes, own, strict=True)
        if not is_own
    ]
    kept = [place for place, is_own in enumerate(own) if is_own]
    indexes = [opened.indexes[place] for place in kept]
    return Opened(opened.batch, select(columns, kept) if kept else None, indexes, [*opened.refused, *refused])


def open_accepted(plain: bytes, indexes: Sequence[int]) -> Columns:
    """Return the readings at `indexes`, which ascend, of a batch that was judged when it came.

    Raises WireError where they are no longer what was accepted.
    """
    with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        columns = _TYPED.decode(plain).readings
        if len(indexes) == len(columns.seq):
            return columns  # each was found good at acceptance
    opened = open_batch(plain)
    places = {index: place for place, index in enumerate(opened.indexes)}
    if opened.columns is None or not all(index in places for index in indexes):
        raise WireError("$.readings", "a reading that was accepted is found bad now")
    return select(opened.columns, [places[index] for index in indexes])


def open_batch(plain: bytes) -> Opened:
    """Decode and judge a batch; raises WireError when it cannot be read as a whole."""
    try:
        typed = _TYPED.decode(plain)
        if are_good(typed.readings):
            return Opened(typed, typed.readings, range(len(typed.readings.seq)), ())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass  # looked at again, reading by reading, to name what is wrong
    batch = decode(Batch, plain)
    return _judge(batch)


def _judge(batch: Batch) -> Opened:
    good: list[bytes] = []
    indexes: list[int] = []
    refused: list[Fate] = []
    for index, row in enumerate(rows(batch.readings)):
        try:
            decode(Reading, row)
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
        else:
            good.append(row)
            indexes.append(index)
    return Opened(batch, decode(Columns, pack(good)) if good else None, indexes, refused)
