"""When a token was first used, which request it was given for, and that a device is to renew its tokens."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the columns; tokens that are there count as used from the beginning."""
    op.add_column("tokens", sa.Column("used_at", _TIME))
    op.add_column("tokens", sa.Column("nonce", sa.LargeBinary(16)))
    op.execute("UPDATE tokens SET used_at = made_at")
    op.add_column("devices", sa.Column("renewal_asked_at", _TIME))


def downgrade() -> None:
    """Remove them."""
    op.drop_column("devices", "renewal_asked_at")
    for column in ("nonce", "used_at"):
        op.drop_column("tokens", column)
