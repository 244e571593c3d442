"""The collector's settings: what they are, and where each value came from."""

from mektep_collector.config.load import Loaded, Origin, load
from mektep_collector.config.settings import Config, ConfigError, MeasureServer, PagesFor, PlainHttp, StoreKind

__all__ = ["Config", "ConfigError", "Loaded", "MeasureServer", "Origin", "PagesFor", "PlainHttp", "StoreKind", "load"]
