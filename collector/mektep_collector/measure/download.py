"""NDT7 download: the server fills the link with binary messages, and the client counts."""

import os

from mektep_collector.measure.frame import Opcode, encode_frame
from mektep_collector.measure.handshake import Stop
from mektep_collector.measure.measurement import Measurement
from mektep_collector.measure.outcome import Outcome
from mektep_collector.measure.session import Client, Session
from mektep_collector.measure.specification import (
    EARLY_EXIT_BYTES,
    FIRST_MESSAGE_BYTES,
    LARGEST_SENT_MESSAGE_BYTES,
    SCALING_FRACTION,
)

_UNSENT_S = 0.05
"""How far ahead of the link the kernel is filled: a measurement must not wait behind seconds of load."""
_LEAST_UNSENT_BYTES = 1 << 14
_MOST_UNSENT_BYTES = 1 << 18
_FIRST_UNSENT_BYTES = 1 << 17


def prepare_load() -> tuple[bytes, ...]:
    """Return one frame of random bytes for each size of message, 2 MiB in all, made once and sent by all tests."""
    random_bytes = os.urandom(LARGEST_SENT_MESSAGE_BYTES)
    sizes = []
    size = FIRST_MESSAGE_BYTES
    while size <= LARGEST_SENT_MESSAGE_BYTES:
        sizes.append(size)
        size *= 2
    return tuple(encode_frame(Opcode.BINARY, random_bytes[:size]) for size in sizes)


def next_size(index: int, load: tuple[bytes, ...], sent_bytes: int) -> int:
    """Return which message of `load` follows message `index` after `sent_bytes` in all: at most one size larger."""
    if index + 1 < len(load) and FIRST_MESSAGE_BYTES << index <= sent_bytes / SCALING_FRACTION:
        return index + 1
    return index


def run_download(session: Session, load: tuple[bytes, ...], stop: Stop) -> Outcome:
    """Send until the test's time is over, the early exit is reached or the client ends it; raises ChannelError."""
    index, sent_bytes = 0, 0
    rest = memoryview(load[0])
    carries_load = True
    session.channel.keep_unsent(_FIRST_UNSENT_BYTES)
    reached = False
    while session.client is Client.OPEN:
        now_s = session.now_s()
        if now_s >= session.next_tick_s:
            measurement = session.tick()
            session.channel.keep_unsent(session.bytes_in(_UNSENT_S, _LEAST_UNSENT_BYTES, _MOST_UNSENT_BYTES))
            reached = stop is Stop.EARLY_EXIT and _has_exceeded(measurement)
        if not rest:
            if now_s >= session.end_s or reached:
                break
            carries_load = not session.has_pending
            if carries_load:
                index = next_size(index, load, sent_bytes)
            rest = memoryview(load[index] if carries_load else session.take_pending())
        elif now_s >= session.cut_off_s:
            return Outcome.TIMED_OUT
        session.receive()
        taken = session.channel.send(rest)
        rest = rest[taken:]
        if carries_load:
            sent_bytes += taken
            session.payload_bytes += taken
            if not rest:
                session.payload_bytes -= len(load[index]) - (FIRST_MESSAGE_BYTES << index)
        if not taken:
            session.channel.wait_for_both(min(session.next_tick_s, session.cut_off_s))
    return session.finish(Outcome.EARLY_EXIT if reached else Outcome.COMPLETED, rest)


def _has_exceeded(measurement: Measurement) -> bool:
    acknowledged = (measurement.tcp or {}).get("BytesAcked", measurement.app.payload_bytes)
    return acknowledged >= EARLY_EXIT_BYTES
