"""The store that needs no server."""

from mektep_collector.store.embedded.store import EmbeddedStore

__all__ = ["EmbeddedStore"]
