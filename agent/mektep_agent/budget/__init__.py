"""The data budget of a metered line: what was used, what may be used, and which tests that leaves."""
