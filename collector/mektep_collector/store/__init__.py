"""Readings as time series behind one protocol."""
