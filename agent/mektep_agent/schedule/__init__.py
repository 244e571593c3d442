"""When to measure: stratified random slots of the school day, and intervals, pure from (assignment, device, time).

The plan follows RFC 2330's advice against fixed ticks: each school day is cut into equal strata, with one random start
in each, drawn from the device and the date, so that a fleet is spread and the same plan can be computed again.
"""
