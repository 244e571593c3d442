"""How to measure: one file or folder an engine, independent of each other."""
