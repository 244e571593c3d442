"""Collectors that share the register, and the home of each device among them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "collectors",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("url", sa.String(300), nullable=False),
        sa.Column("seen_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_collectors"),
    )
    op.create_table(
        "homes",
        sa.Column("device_id", sa.String(36), nullable=False),
        sa.Column("collector_id", sa.String(36), nullable=False),
        sa.Column("since", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name="fk_homes_device_id"),
        sa.PrimaryKeyConstraint("device_id", name="pk_homes"),
    )


def downgrade() -> None:
    """Remove them."""
    for table in ("homes", "collectors"):
        op.drop_table(table)
