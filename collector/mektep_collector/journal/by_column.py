"""Accepted readings as they travelled, by column: a `Reading` is built only for who asks for one.

Whoever stores readings column by column takes `columns`, and five hundred objects with all their parts are never made.
"""

from collections.abc import Iterator, Sequence
from typing import overload

from mektep_collector.journal.correction import from_us
from mektep_collector.journal.entry import Accepted, TimeMethod
from mektep_wire import Columns, unpack


class AcceptedByColumn(Sequence[Accepted]):
    """What one device's batch brought: reading i of `columns` was made at `times_us[i]`, found by `methods[i]`."""

    __slots__ = ("_built", "columns", "device_id", "methods", "school_id", "times_us")

    def __init__(
        self,
        columns: Columns,
        times_us: Sequence[int],
        methods: Sequence[TimeMethod],
        *,
        device_id: str,
        school_id: str,
    ) -> None:
        self.columns = columns
        self.times_us = times_us
        self.methods = methods
        self.device_id = device_id
        self.school_id = school_id
        self._built: Sequence[Accepted] | None = None

    def __len__(self) -> int:
        return len(self.times_us)

    @overload
    def __getitem__(self, index: int) -> Accepted: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Accepted]: ...
    def __getitem__(self, index: int | slice) -> Accepted | Sequence[Accepted]:
        return self._all()[index]

    def __iter__(self) -> Iterator[Accepted]:
        return iter(self._all())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment] # as of any sequence that is compared by what it holds

    def _all(self) -> Sequence[Accepted]:
        if self._built is None:
            self._built = [
                Accepted(
                    reading=reading,
                    device_id=self.device_id,
                    school_id=self.school_id,
                    at=from_us(at_us),
                    time_method=method,
                )
                for reading, at_us, method in zip(unpack(self.columns), self.times_us, self.methods, strict=True)
            ]
        return self._built
