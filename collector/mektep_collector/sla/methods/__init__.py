"""Ways to say whether a line keeps what it must: one file a method, each with its source. Pure.

A method answers for one school and one direction of one period. None of them blames on thin data.
"""
