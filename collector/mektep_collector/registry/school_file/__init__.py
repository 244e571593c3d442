"""The file that a registry of schools is imported from: CSV, checked cell by cell."""
