"""The durable queue between measuring and sending: what was put survives a power cut, what was settled is gone.

One SQLite file, one connection, rollback journal, every commit on disk before it is said to be done.
"""
