"""What to measure: one file a probe."""
