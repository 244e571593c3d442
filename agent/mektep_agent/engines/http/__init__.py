"""A learning platform as a pupil's browser meets it: one small public page over TLS, each step timed, a few kB read."""

from mektep_agent.engines.http.engine import HttpEngine, HttpSettings

__all__ = ["HttpEngine", "HttpSettings"]
