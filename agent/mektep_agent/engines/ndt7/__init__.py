"""NDT7, M-Lab's throughput test (specification v0.11), with framing of our own over plain sockets.

Pure parts (`frame`, `handshake`, `measurement`, `ledger`, `load`, `target`) know no socket; `stream` moves bytes,
`connect` opens, `session` with `download` or `upload` measures, `ending` judges, `engine` puts them together.
"""

from mektep_agent.engines.ndt7.engine import Ndt7Engine, Ndt7Settings
from mektep_agent.engines.ndt7.handshake import Client
from mektep_agent.engines.ndt7.target import Target, TargetError, parse_target

__all__ = ["Client", "Ndt7Engine", "Ndt7Settings", "Target", "TargetError", "parse_target"]
