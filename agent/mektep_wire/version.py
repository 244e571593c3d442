"""The one place that holds the version of the distribution and of the wire."""

VERSION = "0.1.0"
"""Version of the distribution `mektep-meter`, both programs and the dashboards."""

WIRE_VERSION = 1
"""Version of the wire; it is the `/v1` of the collector's addresses. With a new number old agents cannot speak."""
