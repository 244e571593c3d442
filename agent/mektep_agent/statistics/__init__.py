"""Pure: from samples to values. The one place that says what a number means."""
