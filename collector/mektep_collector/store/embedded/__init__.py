"""The store that needs no server."""

from mektep_collector.store.embedded.closing import ClosingProcess
from mektep_collector.store.embedded.files import EmbeddedFiles
from mektep_collector.store.embedded.store import EmbeddedStore

__all__ = ["ClosingProcess", "EmbeddedFiles", "EmbeddedStore"]
