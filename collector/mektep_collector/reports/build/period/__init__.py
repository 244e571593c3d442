"""The document of a report on a period: one frozen set of figures that every format is made from.

`tests_by_column` places runs in the schools' own time and beside norm and contract; `by_school` and `by_group` count
and order them; `shapes` tells how they lie; `build` puts the document together.
"""
