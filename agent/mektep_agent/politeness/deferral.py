"""How long to put a test off: a minute at first, twice as long each time, never past the end of its slot."""

from random import Random

FIRST_WAIT_S = 60.0
LONGEST_WAIT_S = 900.0
_JITTER_RATIO = 0.5


def wait_s(deferral_count: int, left_s: float, random: Random) -> float:
    """Return the seconds to wait after `deferral_count` waits before, with `left_s` left in which to begin.

    Drawn within half and one and a half of the step, so that schools which see the same busy line do not come back in
    step. 0 where nothing is left: then the test is run, busy or not, for busy schools must not vanish from the data.
    """
    step_s = min(FIRST_WAIT_S * 2.0 ** min(deferral_count, 10), LONGEST_WAIT_S)
    drawn_s = step_s * random.uniform(1.0 - _JITTER_RATIO, 1.0 + _JITTER_RATIO)
    return max(0.0, min(drawn_s, left_s))
