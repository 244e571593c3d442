"""iperf3, the real program, run in a child process and read by its JSON; a second opinion from code that is not ours.

`target` and `report` are pure; `engine` runs the program.
"""

from mektep_agent.engines.iperf3.engine import Iperf3Engine, Iperf3Settings
from mektep_agent.engines.iperf3.target import Target, TargetError, parse_target

__all__ = ["Iperf3Engine", "Iperf3Settings", "Target", "TargetError", "parse_target"]
