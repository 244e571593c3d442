"""What alembic runs for every migration: on the connection that the registry hands over, within its transaction."""

from alembic import context

from mektep_collector.registry.tables import METADATA

# Alembic executes this file rather than imports it: acting at its top level is its protocol.
context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
