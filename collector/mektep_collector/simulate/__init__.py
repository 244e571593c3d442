"""A fleet of schools that do not exist: what they would measure, from a seed, each reading marked as simulated."""
