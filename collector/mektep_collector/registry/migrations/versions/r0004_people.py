"""People who are let in, and their sessions."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "people",
        sa.Column("login", sa.String(80), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("regions", sa.Text),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("password_hash", sa.String(200), nullable=False),
        sa.Column("second_factor", sa.LargeBinary(200)),
        sa.Column("last_step", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("added_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("login", name="pk_people"),
    )
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("login", sa.String(80), nullable=False),
        sa.Column("began_at", _TIME, nullable=False),
        sa.Column("seen_at", _TIME, nullable=False),
        sa.Column("ends_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["login"], ["people.login"], name="fk_sessions_login"),
        sa.PrimaryKeyConstraint("token_hash", name="pk_sessions"),
    )
    op.create_index("ix_sessions_login", "sessions", ["login"])


def downgrade() -> None:
    """Remove them."""
    op.drop_index("ix_sessions_login", "sessions")
    for table in ("sessions", "people"):
        op.drop_table(table)
