"""Whether a code is for a computer that measures or for a simulated one, and which of them a device is."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column to both tables; all that are there measure."""
    for table in ("codes", "devices"):
        op.add_column(table, sa.Column("origin", sa.String(16), nullable=False, server_default="measured"))


def downgrade() -> None:
    """Remove it."""
    for table in ("devices", "codes"):
        op.drop_column(table, "origin")
