"""Shortened throughput tests that audit themselves: the draw, what is remembered of each link, and the fallback."""
