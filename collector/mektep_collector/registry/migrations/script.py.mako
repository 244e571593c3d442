"""${message}."""

import sqlalchemy as sa
from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go on from `down_revision`."""
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """Go back to `down_revision`."""
    ${downgrades if downgrades else "pass"}
