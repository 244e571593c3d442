"""One InfluxDB server and database: points written, questions asked, and its refusals told apart.

Errors::

    StoreError           the server cannot be reached, lets nobody in, or is at a limit: all of it may be tried again
    RefusedError         it will not take some of these points, or so many at once
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec
import urllib3
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS, WriteApi
from influxdb_client.domain.write_precision import WritePrecision
from influxdb_client.rest import ApiException

from mektep_collector.store.error import StoreError
from mektep_collector.store.influx.dialect import Dialect, UnknownDialectError, WriteWay, dialect_of, is_poison
from mektep_collector.store.influx.text import named

_CONNECT_S = 5.0
_WRITE_S = 60.0
_READ_S = 120.0
_CONNECTIONS_COUNT = 8
_ROWS_A_CHUNK = 20_000
_REFUSALS = {400, 422}
_TOO_LARGE = 413
_SHOWN_CHARACTERS = 300


class Credentials(msgspec.Struct, frozen=True):
    """A user and password (1.x), or a token (1.8 and later), or neither."""

    user: str = ""
    password: str = ""
    token: str = ""

    def __repr__(self) -> str:
        """Tell who, and no secret."""
        return f"Credentials(user={self.user!r})"


class Address(msgspec.Struct, frozen=True):
    """Where a database is. An empty retention policy is the server's default."""

    url: str
    database: str
    retention_policy: str = ""
    credentials: Credentials = Credentials()


class RefusedError(Exception):
    """The server takes not all of these points, or not so many at once."""


class Rows(msgspec.Struct, frozen=True):
    """Some rows of one series: its tags, which the question grouped by, and columns by name."""

    tags: Mapping[str, str]
    columns: Sequence[str]
    values: Sequence[Sequence[Any]]


class _Series(msgspec.Struct):
    columns: list[str] = []
    values: list[list[Any]] = []
    tags: dict[str, str] = {}


class _Statement(msgspec.Struct):
    series: list[_Series] = []
    error: str | None = None


class _Answer(msgspec.Struct):
    results: list[_Statement] = []
    error: str | None = None


class InfluxServer:
    """A connection to one database. One thread writes; any number ask. Close it when done."""

    def __init__(self, address: Address) -> None:
        """Ask the server what it is, and make the database where servers of its line do that for us.

        Raises StoreError.
        """
        self._address = address
        self._http = urllib3.PoolManager(maxsize=_CONNECTIONS_COUNT, retries=False)
        self.dialect: Dialect = self._probe()
        self._client = InfluxDBClient(
            address.url, token=self._token(), org="-", timeout=round(_WRITE_S * 1000), auth_basic=False
        )
        self._writing: WriteApi = self._client.write_api(write_options=SYNCHRONOUS)
        if self.dialect.makes_databases:
            self._command(f"CREATE DATABASE {named(address.database)}")

    def write(self, lines: Sequence[str]) -> None:
        """Write points, on the server's disk when this returns. Raises RefusedError and StoreError."""
        body = "\n".join(lines).encode()
        if self.dialect.write_way is WriteWay.V2:
            self._write_v2(body)
        else:
            self._write_v1(body)

    def ask(self, question: str) -> Iterator[Rows]:
        """Yield the rows that an InfluxQL question finds, times in nanoseconds. Raises StoreError."""
        fields = {**self._where(), "q": question, "epoch": "ns", "chunked": "true", "chunk_size": str(_ROWS_A_CHUNK)}
        response = self._query(self.dialect.query_method, fields)
        try:
            for line in _lines_of(response):
                answer = _decoded(line)
                for found in answer.results:
                    if found.error is not None:
                        raise StoreError(f"{self} does not answer: {found.error}")
                    for series in found.series:
                        yield Rows(series.tags, series.columns, series.values)
                if answer.error is not None:
                    raise StoreError(f"{self} does not answer: {answer.error}")
        except urllib3.exceptions.HTTPError as error:
            raise StoreError(f"{self} broke off its answer: {error}") from error
        finally:
            response.close()  # one that was read to its end has gone back to the pool already

    def delete(self, statement: str) -> None:
        """Have points deleted by a statement of InfluxQL. Raises StoreError."""
        self._command(statement)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()
        self._http.clear()

    def __str__(self) -> str:
        """Name the database, without what opens it."""
        return f"InfluxDB at {self._address.url}, database {self._address.database}"

    def _probe(self) -> Dialect:
        version = self._got("/ping").headers.get("X-Influxdb-Version")
        try:
            return dialect_of(version, has_health=self._got("/health").status == 200)
        except UnknownDialectError as error:
            raise StoreError(
                f"what answers at {self._address.url} cannot be used as InfluxDB: {error}; check `influxdb_url`"
            ) from error

    def _command(self, statement: str) -> None:
        answer = _decoded(self._query("POST", {"db": self._address.database, "q": statement}).data)
        reason = answer.error or next((each.error for each in answer.results if each.error), None)
        if reason is not None:
            raise StoreError(f"{self} refuses {statement}: {reason}")

    def _write_v2(self, body: bytes) -> None:
        policy = f"/{self._address.retention_policy}" if self._address.retention_policy else ""
        try:
            self._writing.write(
                bucket=self._address.database + policy,
                record=body,
                write_precision=WritePrecision.NS,  # type: ignore[arg-type] # it is text, whatever its signature says
            )
        except ApiException as error:
            self._refuse(error.status or 0, error.body or error.reason or "")
        except urllib3.exceptions.HTTPError as error:
            raise self._unreachable(error) from error

    def _write_v1(self, body: bytes) -> None:
        where = {**self._where(), "precision": "ns", "consistency": "all"}
        try:
            response = self._http.request(
                "POST",
                f"{self._address.url}/write?{urlencode(where)}",
                body=body,
                headers=self._headers(),
                timeout=urllib3.Timeout(connect=_CONNECT_S, read=_WRITE_S),
            )
        except urllib3.exceptions.HTTPError as error:
            raise self._unreachable(error) from error
        if response.status not in {200, 204}:
            self._refuse(response.status, response.data.decode(errors="replace"))

    def _refuse(self, status: int, said: str) -> None:
        reason = _reason(said)
        if status == _TOO_LARGE or (status in _REFUSALS and is_poison(reason)):
            raise RefusedError(reason)
        raise StoreError(f"{self} answers a write with {status}: {reason}{_advice(status)}")

    def _got(self, path: str) -> urllib3.BaseHTTPResponse:
        try:
            return self._http.request("GET", self._address.url + path, headers=self._headers(), timeout=_CONNECT_S)
        except urllib3.exceptions.HTTPError as error:
            raise self._unreachable(error) from error

    def _query(self, method: str, fields: Mapping[str, str]) -> urllib3.BaseHTTPResponse:
        told = urlencode(fields)
        in_body = method == "POST"
        form = {"Content-Type": "application/x-www-form-urlencoded"} if in_body else {}
        try:
            response = self._http.request(
                method,
                f"{self._address.url}/query" + ("" if in_body else f"?{told}"),
                body=told if in_body else None,
                headers={**self._headers(), **form},
                preload_content=False,
                timeout=urllib3.Timeout(connect=_CONNECT_S, read=_READ_S),
            )
        except urllib3.exceptions.HTTPError as error:
            raise self._unreachable(error) from error
        if response.status != 200:
            said = _reason(response.data.decode(errors="replace"))
            raise StoreError(f"{self} answers a question with {response.status}: {said}{_advice(response.status)}")
        return response

    def _unreachable(self, error: Exception) -> StoreError:
        return StoreError(f"{self} cannot be reached: {error}; readings wait in the journal meanwhile")

    def _where(self) -> dict[str, str]:
        where = {"db": self._address.database}
        if self._address.retention_policy:
            where["rp"] = self._address.retention_policy
        return where

    def _token(self) -> str:
        by = self._address.credentials
        return by.token or f"{by.user}:{by.password}"

    def _headers(self) -> dict[str, str]:
        by = self._address.credentials
        if by.token:
            return {"Authorization": f"Token {by.token}"}
        if by.user:
            return dict(urllib3.make_headers(basic_auth=f"{by.user}:{by.password}"))
        return {}


def _lines_of(response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    rest = b""
    for piece in response.stream(1 << 16):
        *whole, rest = (rest + piece).split(b"\n")
        yield from (line for line in whole if line)
    if rest:
        yield rest


def _decoded(line: bytes) -> _Answer:
    try:
        return msgspec.json.decode(line, type=_Answer)
    except msgspec.DecodeError as error:
        raise StoreError(f"what answers is no InfluxDB, or is cut off: {line[:_SHOWN_CHARACTERS]!r}") from error


def _reason(said: str | bytes) -> str:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    try:
        told = json.loads(text)
    except ValueError:
        told = None
    if isinstance(told, dict):
        text = str(told.get("message") or told.get("error") or text)
    return text.strip()[:_SHOWN_CHARACTERS]


def _advice(status: int) -> str:
    return "; check `influxdb_user`, its password or the token" if status in {401, 403} else ""
