"""Politeness: seeing that others use the line, and when to measure all the same. Pure; the daemon does the waiting."""
