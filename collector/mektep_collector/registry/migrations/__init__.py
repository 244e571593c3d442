"""Steps from each version of the registry's schema to the next, run by alembic."""
