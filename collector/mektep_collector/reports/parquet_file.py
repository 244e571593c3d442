"""Flat rows as Parquet, for analysts' own programs: the same rows give the same bytes."""

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from mektep_collector.reports.flat import Row, columns_of


def parquet_bytes(rows: Sequence[Row], about: Mapping[str, str]) -> bytes:
    """Return the file, with `about` as its metadata."""
    columns = {name: [row[name] for row in rows] for name in columns_of(rows)}
    table = pa.table({name: pa.array(values, _type(name)) for name, values in columns.items()})
    sink = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata(dict(about)), sink, compression="zstd")
    return bytes(sink.getvalue())


def _type(name: str) -> "pa.DataType":
    if name.endswith("_count") or name == "is_told":
        return pa.int64()
    return pa.float64() if name.endswith(("_mbps", "_ms", "_ratio")) else pa.string()
