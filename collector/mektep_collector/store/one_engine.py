"""A series has the values of one engine alone: what different engines call by one name is not one thing.

A school may have been measured by several: by NDT7 every day and once by a browser, or by UDP echo until a firewall
closed it and by TCP since. Its series is that of the engine with most values in the period; the others' readings are
kept, and shown one by one.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from mektep_collector.store.planned import PLANS
from mektep_collector.store.store import Trace
from mektep_wire import EngineName, Metric, ProbeName

_ORDER: Mapping[EngineName, int] = MappingProxyType({engine: place for place, engine in enumerate(EngineName)})
_CHOSEN_BY_NAME = frozenset(
    metric for metric, plans in PLANS.items() if all(plan.probe is ProbeName.THROUGHPUT for plan in plans)
)
"""Here a run's engine is the operator's choice, and its failures are that engine's own. Elsewhere a probe falls back
from one engine to another: its failure says that none of them had an answer."""


def is_chosen_by_name(metric: Metric) -> bool:
    """Tell whether a metric's engine is the operator's choice, so that a failed run is that engine's own."""
    return metric in _CHOSEN_BY_NAME


def of_one_engine(metric: Metric, traces: Sequence[Trace]) -> Sequence[Trace]:
    """Return the traces of the metric's main engine among `traces`, which are one school's, in their order.

    It is the engine with most values; where none has any, that with most runs; of equals the first in `EngineName`.
    Runs without a value stay, except that a throughput test's failures count for its own engine alone.
    """
    if len({trace.engine for trace in traces}) < 2:
        return traces
    is_strict = is_chosen_by_name(metric)
    main = _most(trace.engine for trace in traces if trace.value is not None)
    if main is None:
        if not is_strict:
            return traces
        main = _most(trace.engine for trace in traces)
    return [trace for trace in traces if trace.engine is main or (trace.value is None and not is_strict)]


def _most(engines: Iterable[EngineName]) -> EngineName | None:
    counts = Counter(engines)
    return min(counts, key=lambda engine: (-counts[engine], _ORDER[engine]), default=None)
