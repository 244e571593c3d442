"""What is wrong with a file, and where."""

from collections.abc import Sequence

import msgspec


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong: line and column count from 1, `name` is the column's; 0 and empty for the whole line."""

    line: int
    column: int
    name: str
    reason: str

    def __str__(self) -> str:
        """Say where, then what."""
        place = f"line {self.line}"
        if self.column:
            place += f", column {self.column}" + (f" ({self.name})" if self.name else "")
        return f"{place}: {self.reason}"


class SchoolFileError(Exception):
    """The file has faults, all that could be found; nothing of it is to be used."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(str(fault) for fault in faults))
        self.faults = faults
