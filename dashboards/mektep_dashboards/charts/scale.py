"""From values to places: a linear scale whose ticks are round numbers."""

import math
from collections.abc import Iterable, Sequence

import msgspec

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


class Scale(msgspec.Struct, frozen=True):
    """Values from 0 to `top` on a line from `zero` to `end`, in the picture's units."""

    top: float
    step: float
    zero: float
    end: float

    def at(self, value: float) -> float:
        """Return the place of a value; one beyond the top stays at the top."""
        return self.zero + (self.end - self.zero) * min(value, self.top) / self.top

    def ticks(self) -> Sequence[float]:
        """Return the round values from 0 to the top."""
        return [self.step * count for count in range(round(self.top / self.step) + 1)]


def scale(values: Iterable[float], zero: float, end: float, ticks_count: int = 4) -> Scale:
    """Return a scale that holds all `values` and has about `ticks_count` steps; 0 to 1 where there are none."""
    most = max(values, default=0.0)
    if most <= 0.0:
        return Scale(1.0, 1.0, zero, end)
    rough = most / ticks_count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in _STEPS if power * factor >= rough * (1 - 1e-9))
    return Scale(step * math.ceil(most / step - 1e-9), step, zero, end)
