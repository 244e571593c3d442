"""`mektep-collector openapi`: the interface described, without a collector running."""

import tempfile
from pathlib import Path

from mektep_collector.api.assignment_content import MeasuringPoints
from mektep_collector.api.documentation import openapi_document
from mektep_collector.api.metrics import new_metrics
from mektep_collector.app import Parts, create_interface
from mektep_collector.cli.settled import show_json
from mektep_collector.clock import SystemTime
from mektep_collector.config import Config
from mektep_collector.journal.error import JournalError
from mektep_collector.journal.submission import Submission
from mektep_collector.registry.registry import open_registry
from mektep_wire import Receipt


class _Closed:
    """A journal that takes nothing: the application is described here, not run."""

    async def accept(self, submission: Submission) -> Receipt:
        raise JournalError(f"batch {submission.batch_id} came to a collector that does not run")


def openapi() -> None:
    """Print the interface's description (OpenAPI 3.1, JSON)."""
    with tempfile.TemporaryDirectory() as place:
        registry = open_registry(Path(place))
        try:
            app = create_interface(
                Parts(
                    config=Config(),
                    registry=registry,
                    journal=_Closed(),
                    points=MeasuringPoints(ndt7_url=None, echo_url=None),
                    checks={},
                    metrics=new_metrics(),
                    time=SystemTime(),
                )
            )
            show_json(openapi_document(app))
        finally:
            registry.close()
