"""Outages: a heartbeat says that the line lives, a course turns beats into outages, and looks say where they sit.

`course`, `cause`, `moment` and `restart` are pure; `heartbeat` and `locate` send a few packets.
"""
