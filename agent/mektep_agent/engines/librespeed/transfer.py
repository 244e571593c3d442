"""Several streams watched together: points every 100 ms, the end by rule or limit, and what came of it."""

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from mektep_agent.clock import TimeSource
from mektep_agent.engines.engine import EngineError, Limits, StopRule
from mektep_agent.engines.librespeed.stream import Spent, Stream
from mektep_agent.sample import Point, TcpCounters, ThroughputSample
from mektep_wire import Direction, FailureKind, StopReason

LOOK_S: Final = 0.1
MIN_USABLE_S: Final = 1.0
"""How much measured time a test needs that the server or the network ended before we would have."""
_END_S: Final = 3.0
_SMALLEST_BYTES: Final = 1 << 10


class Transfer:
    """One transfer in one direction over `streams`, which share `over` and `went`."""

    def __init__(
        self,
        streams: Sequence[Stream],
        direction: Direction,
        limits: Limits,
        stop: StopRule,
        time: TimeSource,
        over: threading.Event,
        went: threading.Event,
        is_abandoned: Callable[[], bool],
    ) -> None:
        self._streams = streams
        self._direction = direction
        self._limits = limits
        self._stop = stop
        self._time = time
        self._over = over
        self._went = went
        self._is_abandoned = is_abandoned
        self._points: list[Point] = []

    def run(self) -> ThroughputSample:
        """Run it to its end and leave nothing open; raises EngineError that says what it cost the link."""
        threads = [threading.Thread(target=stream.run, name="librespeed", daemon=True) for stream in self._streams]
        for thread in threads:
            thread.start()
        reason: StopReason | None = None
        trouble: EngineError | None = None
        stopped_s = 0.0
        try:
            began_s = self._start()
            reason, trouble, stopped_s = self._watch(began_s)
        except EngineError as error:
            trouble = error
        finally:
            self._over.set()
            self._went.set()
            for stream in self._streams:
                stream.wake()
            for thread in threads:
                thread.join(_END_S)
        for stream in self._streams:
            if stream.defect is not None:
                raise stream.defect
        spent = _sum(stream.spent for stream in self._streams)
        if trouble is not None:
            raise EngineError(
                trouble.kind, trouble.detail, bytes_sent=spent.sent_bytes, bytes_received=spent.received_bytes
            )
        return self._sample(reason or StopReason.CONNECTION_LOST, stopped_s, spent)

    def _start(self) -> float:
        """Wait until all streams are connected, let them go, and return the moment; raises EngineError."""
        until_s = self._time.monotonic_s() + self._limits.connect_timeout_s
        for stream in self._streams:
            while not stream.is_ready.wait(LOOK_S):
                self._check_abandoned()
                if self._time.monotonic_s() > until_s + LOOK_S:
                    raise EngineError(FailureKind.CONNECT_TIMEOUT, "not all connections stood in time")
            if stream.error is not None:
                raise stream.error
        self._went.set()
        return self._time.monotonic_s()

    def _watch(self, began_s: float) -> tuple[StopReason | None, EngineError | None, float]:
        """Return why it ended, or the trouble that left no value, and after how long."""
        next_s = began_s + LOOK_S
        while True:
            # A stream that fails sets nothing off by itself: its failure is seen at the next look.
            self._over.wait(max(0.0, next_s - self._time.monotonic_s()))
            now_s = self._time.monotonic_s()
            next_s = max(next_s + LOOK_S, now_s)
            self._check_abandoned()
            elapsed_s = now_s - began_s
            lost = next((stream.error for stream in self._streams if stream.error is not None), None)
            if lost is not None:
                return self._broken(lost)
            self._points.append(Point(elapsed_s, self._arrived_bytes()))
            reason = self._stop.decide(self._points) or self._cap_reached()
            if reason is None and elapsed_s >= self._limits.max_duration_s:
                reason = StopReason.FULL_LENGTH
            if reason is not None:
                return reason, self._nothing(elapsed_s), elapsed_s
            silent_s = now_s - max(stream.moved_s for stream in self._streams)
            if silent_s >= self._limits.stall_timeout_s:
                detail = f"nothing moved any more for {silent_s:.1f} s, {elapsed_s:.1f} s into the test"
                return self._broken(EngineError(FailureKind.STALLED, detail))

    def _broken(self, trouble: EngineError) -> tuple[StopReason | None, EngineError | None, float]:
        """Return the test as cut short where it had run for long enough, else its trouble."""
        while len(self._points) > 1 and self._points[-1].total_bytes == self._points[-2].total_bytes:
            self._points.pop()
        if not self._points or self._points[-1].elapsed_s < MIN_USABLE_S:
            return None, trouble, 0.0
        is_closed = trouble.kind is FailureKind.CLOSED_EARLY
        reason = StopReason.SERVER_CLOSED if is_closed else StopReason.CONNECTION_LOST
        return reason, self._nothing(self._points[-1].elapsed_s), self._points[-1].elapsed_s

    def _nothing(self, elapsed_s: float) -> EngineError | None:
        total_bytes = self._points[-1].total_bytes
        if total_bytes >= _SMALLEST_BYTES:
            return None
        return EngineError(FailureKind.STALLED, f"only {total_bytes} bytes arrived in {elapsed_s:.1f} s")

    def _arrived_bytes(self) -> int:
        """Return what has arrived in all: our own count, or for uploads the acknowledgements, else the answers."""
        answered_bytes = sum(stream.payload_bytes for stream in self._streams)
        if self._direction is Direction.DOWNLOAD:
            return answered_bytes
        known = [stream.arrived_bytes() for stream in self._streams]
        told = [one for one in known if one is not None]
        total_bytes = sum(told) if len(told) == len(known) else answered_bytes
        return max(total_bytes, self._points[-1].total_bytes if self._points else 0)

    def _cap_reached(self) -> StopReason | None:
        used_bytes = sum(stream.link_bytes() for stream in self._streams)
        is_reached = self._limits.max_bytes is not None and used_bytes >= self._limits.max_bytes
        return StopReason.BYTE_CAP if is_reached else None

    def _check_abandoned(self) -> None:
        if self._is_abandoned():
            raise EngineError(FailureKind.INTERRUPTED, "the test was abandoned")

    def _sample(self, reason: StopReason, stopped_s: float, spent: Spent) -> ThroughputSample:
        is_upload = self._direction is Direction.UPLOAD
        return ThroughputSample(
            direction=self._direction,
            points=tuple(self._points),
            duration_s=stopped_s,
            bytes_sent=spent.sent_bytes,
            bytes_received=spent.received_bytes,
            stop_reason=reason,
            streams_count=len(self._streams),
            tcp=TcpCounters(
                min_rtt_ms=spent.min_rtt_us / 1e3 if spent.min_rtt_us else None,
                bytes_acked=spent.acked_bytes if is_upload and spent.acked_bytes else None,
                bytes_sent=spent.kernel_sent_bytes if is_upload and spent.kernel_sent_bytes else None,
                bytes_retransmitted=spent.retransmitted_bytes if is_upload and spent.kernel_sent_bytes else None,
            ),
        )


def _sum(parts: Iterable[Spent]) -> Spent:
    all_parts = list(parts)
    rtts_us = [part.min_rtt_us for part in all_parts if part.min_rtt_us is not None]
    return Spent(
        sent_bytes=sum(part.sent_bytes for part in all_parts),
        received_bytes=sum(part.received_bytes for part in all_parts),
        arrived_bytes=sum(part.arrived_bytes for part in all_parts),
        acked_bytes=sum(part.acked_bytes for part in all_parts),
        kernel_sent_bytes=sum(part.kernel_sent_bytes for part in all_parts),
        retransmitted_bytes=sum(part.retransmitted_bytes for part in all_parts),
        min_rtt_us=min(rtts_us, default=None),
    )
