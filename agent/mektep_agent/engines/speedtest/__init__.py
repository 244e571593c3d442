"""speedtest.net by speedtest-cli, or a Speedtest Mini server: opt-in, in a child process with limits.

`target` and `talk` are pure, `child` is the process that measures, `engine` runs and watches it.
"""

from mektep_agent.engines.speedtest.engine import Consent, SpeedtestEngine, SpeedtestSettings
from mektep_agent.engines.speedtest.target import Target, TargetError, parse_target

__all__ = ["Consent", "SpeedtestEngine", "SpeedtestSettings", "Target", "TargetError", "parse_target"]
