"""NDT7 and UDP echo servers, so that a ministry owns its measuring points."""
