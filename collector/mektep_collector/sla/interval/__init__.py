"""How far a figure may lie from the truth, by how it was found: intervals of confidence. Pure."""
