"""What a school's tests of one direction came to, as counts that add up: a month is the sum of its days.

Each test is held against the norm and the contract of its own day, so that a contract which changes amid a month judges
nothing before it. Failed tests have no speed: they are counted, and no share of speeds has them in it. Pure.
"""

import msgspec


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of tests. Of the good ones `norm_met_count` of `norm_judged_count` reached the norm of their day; of
    `contract_judged_count` with a contract, `contract_met_count` reached its speed and `contract_kept_count` the part
    of it from which on it counts as kept (`verdict.CONTRACT_MIN_RATIO`).
    """

    ok_count: int = 0
    failed_count: int = 0
    skipped_count: int = 0
    norm_judged_count: int = 0
    norm_met_count: int = 0
    contract_judged_count: int = 0
    contract_met_count: int = 0
    contract_kept_count: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        """Return the counts of both; no test may be in the two."""
        return Tally(**{name: getattr(self, name) + getattr(other, name) for name in self.__struct_fields__})

    @property
    def runs_count(self) -> int:
        """Tests that were made, with a result or without."""
        return self.ok_count + self.failed_count
