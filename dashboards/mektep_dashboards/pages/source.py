"""Where pages get their documents: the collector's cli hands in what reads register and store."""

from typing import Protocol

from mektep_collector.access.scope import Scope
from mektep_collector.reports.build.fleet import FleetDocument
from mektep_collector.reports.build.school import SchoolDocument


class OutOfReachError(Exception):
    """What the documents are made of cannot be read at the moment."""


class PageSource(Protocol):
    """Gives documents as of now, or raises OutOfReachError. Called from many threads at once; it may block."""

    def fleet(self, scope: Scope) -> FleetDocument:
        """Return the document of all schools of the register within a scope."""
        ...

    def school(self, school_id: str, scope: Scope) -> SchoolDocument | None:
        """Return the document of one school, None for an id that the register does not know within the scope."""
        ...
