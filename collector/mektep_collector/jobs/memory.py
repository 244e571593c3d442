"""Keeps the garbage collector from walking over what never becomes garbage.

A batch of 500 readings is some thousands of objects that live for milliseconds. Python's collector then soon looks at
every object of the process, modules and routes and all, again and again: a third of the processor time of acceptance.
"""

import gc

_YOUNG_COUNT = 100_000


def settle_memory() -> None:
    """Leave all that exists now out of later collections, and collect less often. Call once, when all is set up."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_COUNT, 20, 50)
