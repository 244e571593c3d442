"""Readings in InfluxDB: points that say the same however often they are written, and answers by InfluxQL."""

from mektep_collector.store.influx.check import InfluxFiles
from mektep_collector.store.influx.server import Address, Credentials
from mektep_collector.store.influx.store import InfluxStore

__all__ = ["Address", "Credentials", "InfluxFiles", "InfluxStore"]
