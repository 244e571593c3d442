"""Schools with their contracts, devices, codes, tokens, assignments."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "schools",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(300), nullable=False),
        sa.Column("region", sa.String(6), nullable=False),
        sa.Column("district", sa.String(200), nullable=False),
        sa.Column("time_zone", sa.String(64), nullable=False),
        sa.Column("pupils_count", sa.Integer),
        sa.Column("places_count", sa.Integer),
        sa.Column("technology", sa.String(16), nullable=False),
        sa.Column("norm_mbps", sa.Float),
        sa.Column("added_at", _TIME, nullable=False),
        sa.Column("changed_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_schools"),
    )
    op.create_table(
        "commitments",
        sa.Column("school_id", sa.String(64), nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("provider", sa.String(200), nullable=False),
        sa.Column("download_mbps", sa.Float, nullable=False),
        sa.Column("upload_mbps", sa.Float, nullable=False),
        sa.Column("recorded_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("school_id", "valid_from", name="pk_commitments"),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name="fk_commitments_school_id"),
    )
    op.create_table(
        "devices",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("school_id", sa.String(64), nullable=False),
        sa.Column("public_key", sa.LargeBinary(32), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("enrolled_at", _TIME, nullable=False),
        sa.Column("agent_version", sa.String(32), nullable=False),
        sa.Column("platform", sa.String(16), nullable=False),
        sa.Column("last_seen_at", _TIME),
        sa.PrimaryKeyConstraint("id", name="pk_devices"),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name="fk_devices_school_id"),
    )
    op.create_index("ix_devices_school_id", "devices", ["school_id"])
    op.create_table(
        "codes",
        sa.Column("id", sa.String(6), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("school_id", sa.String(64), nullable=False),
        sa.Column("made_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("attempts_left_count", sa.Integer, nullable=False),
        sa.Column("spent_at", _TIME),
        sa.Column("device_id", sa.String(36)),
        sa.PrimaryKeyConstraint("id", name="pk_codes"),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name="fk_codes_school_id"),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name="fk_codes_device_id"),
    )
    op.create_index("ix_codes_school_id", "codes", ["school_id"])
    op.create_table(
        "tokens",
        sa.Column("id", sa.String(12), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("device_id", sa.String(36), nullable=False),
        sa.Column("made_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name="fk_tokens_device_id"),
    )
    op.create_index("ix_tokens_device_id", "tokens", ["device_id"])
    op.create_table(
        "assignments",
        sa.Column("device_id", sa.String(36), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("content_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("signature", sa.LargeBinary(64), nullable=False),
        sa.Column("issued_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("device_id", name="pk_assignments"),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name="fk_assignments_device_id"),
    )


def downgrade() -> None:
    """Remove all tables: there is nothing before them."""
    for table in ("assignments", "tokens", "codes", "devices", "commitments", "schools"):
        op.drop_table(table)
