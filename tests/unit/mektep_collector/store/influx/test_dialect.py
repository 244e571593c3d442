"""How each line of InfluxDB is spoken to, by what it says of itself."""

import pytest

from mektep_collector.store.influx.dialect import UnknownDialectError, WriteWay, dialect_of, is_poison


@pytest.mark.parametrize(
    ("version", "has_health", "write_way", "makes_databases", "query_method"),
    [
        ("1.6.7~rc0", False, WriteWay.V1, True, "POST"),
        ("1.8.10", True, WriteWay.V2, True, "POST"),
        ("v1.12.4", True, WriteWay.V2, True, "POST"),
        ("unknown", True, WriteWay.V2, True, "POST"),
        ("unknown", False, WriteWay.V1, True, "POST"),
        ("v2.9.1", True, WriteWay.V2, False, "POST"),
        ("3.11.2", True, WriteWay.V2, False, "GET"),
    ],
)
def test_each_line_has_its_ways(
    version: str, has_health: bool, write_way: WriteWay, makes_databases: bool, query_method: str
) -> None:
    dialect = dialect_of(version, has_health=has_health)
    assert (dialect.write_way, dialect.makes_databases, dialect.query_method) == (
        write_way,
        makes_databases,
        query_method,
    )


@pytest.mark.parametrize("version", [None, "", "nginx", "0.9.6", "4.0.0"])
def test_what_is_none_of_them_is_refused_by_what_it_said(version: str | None) -> None:
    with pytest.raises(UnknownDialectError, match=version or "None|''"):
        dialect_of(version, has_health=True)


def test_a_refusal_of_a_point_is_told_from_a_limit_of_the_server() -> None:
    assert is_poison('partial write: field type conflict: input field "came" on measurement "path" is type integer')
    assert is_poison("partial write: points beyond retention policy dropped=1")
    assert not is_poison("partial write: max-series-per-database limit exceeded: (1000000) dropped=1")
    assert not is_poison("timeout")
