"""LibreSpeed's protocol (LibreSpeed 6): plain HTTP, several connections at once, with a small client of our own.

`target` and `answer` are pure; `connection` moves one connection's bytes; `stream` is one of several that load the
link; `transfer` watches them together; `engine` puts them together. The bytes go to the agent's own statistics: no
overhead is made up, and nothing is multiplied.
"""

from mektep_agent.engines.librespeed.engine import LibrespeedEngine, LibrespeedSettings
from mektep_agent.engines.librespeed.target import Target, TargetError, parse_target

__all__ = ["LibrespeedEngine", "LibrespeedSettings", "Target", "TargetError", "parse_target"]
