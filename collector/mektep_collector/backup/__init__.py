"""Backups of a data directory: made while the collector serves, complete or not there at all, checked by hash."""
