"""Numbers carry their unit in their name, and every metric has its facts."""

from datetime import date, datetime, time
from typing import Any, get_args, get_type_hints

import msgspec
import pytest

from mektep_wire import METRICS, Metric, Unit
from mektep_wire.schema import WIRE_TYPES

UNITS = ("_mbps", "_us", "_ms", "_s", "_bytes", "_ratio", "_dbm", "_rpm", "_count", "_counts")
ORDINALS = {"seq", "version", "assignment_version", "index", "at", "counts"}
"""Numbers that count positions, not quantities."""
IN_THE_VALUES_UNIT = {"low", "high", "values", "lows", "highs"}
"""An interval is in the unit of the metric that it stands under."""
HTTP_NUMBERS = {"status"}


def _structs(kind: Any, seen: set[type[msgspec.Struct]]) -> None:  # noqa: ANN401 (any annotation)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        if kind not in seen:
            seen.add(kind)
            for hint in get_type_hints(kind).values():
                _structs(hint, seen)
        return
    for inner in get_args(kind):
        _structs(inner, seen)


def all_structs() -> list[type[msgspec.Struct]]:
    seen: set[type[msgspec.Struct]] = set()
    for kind in WIRE_TYPES:
        _structs(kind, seen)
    return sorted(seen, key=lambda kind: kind.__name__)


def _holds(kind: Any, wanted: tuple[type, ...]) -> bool:  # noqa: ANN401 (any annotation)
    if isinstance(kind, type):
        return issubclass(kind, wanted) and not issubclass(kind, bool)
    return any(_holds(inner, wanted) for inner in get_args(kind))


@pytest.mark.parametrize("kind", all_structs(), ids=lambda kind: kind.__name__)
def test_every_numeric_field_ends_in_its_unit(kind: type[msgspec.Struct]) -> None:
    for name, hint in get_type_hints(kind).items():
        is_mapping = getattr(hint, "__origin__", None) is dict
        if not is_mapping and _holds(hint, (int, float)):
            assert (
                name.endswith(UNITS)
                or name.startswith("bytes_")
                or name in ORDINALS | IN_THE_VALUES_UNIT | HTTP_NUMBERS
            ), f"{kind.__name__}.{name} is a number without a unit"


@pytest.mark.parametrize("kind", all_structs(), ids=lambda kind: kind.__name__)
def test_every_moment_ends_in_at(kind: type[msgspec.Struct]) -> None:
    for name, hint in get_type_hints(kind).items():
        if _holds(hint, (datetime, time)) and not _holds(hint, (date,)):
            assert name.endswith("_at"), f"{kind.__name__}.{name} is a moment; its name ends in _at"
        if _holds(hint, (datetime,)):
            assert name.endswith("_at"), f"{kind.__name__}.{name} is a moment; its name ends in _at"


@pytest.mark.parametrize("kind", all_structs(), ids=lambda kind: kind.__name__)
def test_every_wire_type_is_frozen_refuses_unknown_fields_and_is_described(kind: type[msgspec.Struct]) -> None:
    assert kind.__struct_config__.frozen
    assert kind.__struct_config__.forbid_unknown_fields
    assert kind.__doc__


@pytest.mark.parametrize("metric", Metric)
def test_every_metric_has_facts_and_ends_in_its_unit(metric: Metric) -> None:
    facts = METRICS[metric]
    assert metric.value.endswith(f"_{facts.unit.value}")
    assert facts.low < facts.high
    assert facts.meaning.endswith(".")


@pytest.mark.parametrize("unit", Unit)
def test_every_unit_measures_something(unit: Unit) -> None:
    assert any(facts.unit is unit for facts in METRICS.values())
