"""Decoding with errors that name the field.

The fast path is msgspec's. Only when it refuses is the input looked at a second time, slowly, to name the field that
a number which is not finite, a byte which is not UTF-8, or an unknown name stands in.
"""

import difflib
import json
import math
import re
from typing import Any, TypeVar

import msgspec

from mektep_wire.metric import Metric

T = TypeVar("T")

_PATH = re.compile(r" - at `(?:key` in `)?(?P<path>\$[^`]*)`$")
_UNKNOWN_FIELD = re.compile(r"^Object contains unknown field `(?P<name>.*)`$", re.DOTALL)
_ENCODER = msgspec.json.Encoder()
_MAX_DIAGNOSED_BYTES = 2_097_152
_METRIC_NAMES = frozenset(metric.value for metric in Metric)


class WireError(ValueError):
    """Input that is refused; `field` is the JSON path of the fault (`$` for the whole), `reason` what is wrong."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


def encode(value: msgspec.Struct) -> bytes:
    """Return the JSON bytes of a wire type."""
    return _ENCODER.encode(value)


def decode(kind: type[T], data: bytes | msgspec.Raw) -> T:
    """Return `data` as a `kind`; raises WireError that names the field."""
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        raise _named(str(error), bytes(data)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _malformed(str(error), bytes(data)) from None


def _named(message: str, data: bytes) -> WireError:
    match = _PATH.search(message)
    path = match["path"] if match else "$"
    reason = message[: match.start()] if match else message
    unknown = _UNKNOWN_FIELD.match(reason)
    if unknown:
        return WireError(f"{path}.{unknown['name'][:64]}", "this field is unknown; leave it out")
    if path.endswith("[...]") or "`key` in" in message:
        return _misnamed(path, reason, data)
    own = re.match(r"`([a-z_.]+)`", reason)
    if own:
        path = f"{path}.{own[1]}"
    return WireError(path, reason[:400])


def _misnamed(path: str, reason: str, data: bytes) -> WireError:
    """Name the key that msgspec leaves out, and the known name that is nearest to an unknown metric."""
    values = _loose(data)
    holder = path.removeprefix("$.").split("[")[0]
    entries = values.get(holder) if isinstance(values, dict) else None
    if isinstance(entries, dict):
        for key, value in entries.items():
            if key not in _METRIC_NAMES:
                nearest = difflib.get_close_matches(key[:64], _METRIC_NAMES, n=1, cutoff=0.6)
                hint = f"; the nearest known one is `{nearest[0]}`: units are part of the name" if nearest else ""
                return WireError(f"$.{holder}.{key[:64]}", f"no metric has this name{hint}")
            if isinstance(value, bool) or not isinstance(value, int | float):
                if holder != "intervals" or not isinstance(value, dict):
                    return WireError(f"$.{holder}.{key}", reason[:400])
            elif not abs(value) <= 1e9:
                return WireError(f"$.{holder}.{key}", reason[:400])
    return WireError(path, reason[:400])


def _malformed(message: str, data: bytes) -> WireError:
    values = _loose(data)
    if values is not None:
        found = _foreign(values, "$")
        if found is not None:
            return found
    return WireError("$", message[:400])


def _loose(data: bytes) -> Any:  # noqa: ANN401 (any JSON at all)
    """Read what strict JSON forbids, for diagnosis only; None where even that fails."""
    if len(data) > _MAX_DIAGNOSED_BYTES:
        return None
    try:
        return json.loads(data.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError):
        return None


def _foreign(value: object, path: str) -> WireError | None:
    """Return the first number that is not finite or text that is not UTF-8."""
    if isinstance(value, float) and not math.isfinite(value):
        return WireError(path, "the number is not finite; leave the value out and say why in `failure`")
    if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
        return WireError(path, "the text is not UTF-8")
    children: list[tuple[str, object]] = []
    if isinstance(value, dict):
        children = [(f"{path}.{key[:64]}", child) for key, child in value.items()]
        for key in value:
            found = _foreign(key, path)
            if found is not None:
                return found
    elif isinstance(value, list):
        children = [(f"{path}[{index}]", child) for index, child in enumerate(value)]
    for child_path, child in children:
        found = _foreign(child, child_path)
        if found is not None:
            return found
    return None
