"""The agent's settings: what they are, and where each value came from."""

from mektep_agent.config.load import Loaded, Origin, load
from mektep_agent.config.settings import Config, ConfigError, LocalTargets, LogForm, LogLevel

__all__ = ["Config", "ConfigError", "Loaded", "LocalTargets", "LogForm", "LogLevel", "Origin", "load"]
