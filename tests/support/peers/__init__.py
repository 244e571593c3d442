"""Clients that are not ours, run against our measuring server: on this machine or in a host of the laboratory."""
