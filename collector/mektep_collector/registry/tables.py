"""The registry's tables, as SQLAlchemy Core sees them. `migrations/` makes what a database holds."""

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

REVISION = "0006"
"""The last migration: what a database must have taken to be as these tables are."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time, kept in UTC: SQLite forgets the zone, PostgreSQL answers in the session's."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an aware time to UTC; raises ValueError for one without a zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"the time {value} has no zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give an aware time in UTC back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
)

SCHOOLS = Table(
    "schools",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("name", String(300), nullable=False),
    Column("region", String(6), nullable=False),
    Column("district", String(200), nullable=False),
    Column("time_zone", String(64), nullable=False),
    Column("pupils_count", Integer),
    Column("places_count", Integer),
    Column("technology", String(16), nullable=False),
    Column("norm_mbps", Float),
    Column("added_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)

COMMITMENTS = Table(
    "commitments",
    METADATA,
    Column("school_id", String(64), ForeignKey("schools.id"), primary_key=True),
    Column("valid_from", Date, primary_key=True),
    Column("provider", String(200), nullable=False),
    Column("download_mbps", Float, nullable=False),
    Column("upload_mbps", Float, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
)
"""Every contract that was ever told, each from its day on: a new one does not rewrite the months before it."""

DEVICES = Table(
    "devices",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("school_id", String(64), ForeignKey("schools.id"), nullable=False, index=True),
    Column("public_key", LargeBinary(32), nullable=False),
    Column("status", String(16), nullable=False),
    Column("enrolled_at", UtcDateTime, nullable=False),
    Column("agent_version", String(32), nullable=False),
    Column("platform", String(16), nullable=False),
    Column("last_seen_at", UtcDateTime),
    Column("origin", String(16), nullable=False, server_default="measured"),
    Column("renewal_asked_at", UtcDateTime),
)

CODES = Table(
    "codes",
    METADATA,
    Column("id", String(6), primary_key=True),
    Column("secret_hash", LargeBinary(32), nullable=False),
    Column("school_id", String(64), ForeignKey("schools.id"), nullable=False, index=True),
    Column("made_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("attempts_left_count", Integer, nullable=False),
    Column("origin", String(16), nullable=False, server_default="measured"),
    Column("spent_at", UtcDateTime),
    Column("device_id", String(36), ForeignKey("devices.id")),
)

TOKENS = Table(
    "tokens",
    METADATA,
    Column("id", String(12), primary_key=True),
    Column("secret_hash", LargeBinary(32), nullable=False),
    Column("device_id", String(36), ForeignKey("devices.id"), nullable=False, index=True),
    Column("made_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("used_at", UtcDateTime),
    Column("nonce", LargeBinary(16)),
)
"""A token is good until `ended_at`, which may lie ahead. Of one device none is made at the time of another or before.
`nonce` is of the request that it was given for; rows stay, so no request gives a second token."""

ASSIGNMENTS = Table(
    "assignments",
    METADATA,
    Column("device_id", String(36), ForeignKey("devices.id"), primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("content_hash", LargeBinary(32), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("signature", LargeBinary(64), nullable=False),
    Column("issued_at", UtcDateTime, nullable=False),
)

CHANGES = Table(
    "changes",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", String(100), nullable=False),
    Column("action", String(32), nullable=False),
    Column("object", Text, nullable=False),
    Column("before_hash", LargeBinary(32)),
    Column("after_hash", LargeBinary(32)),
    Column("previous_hash", LargeBinary(32), nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
)
"""What was changed, by whom, each row chained to the one before. Rows are only ever added."""

CHANGES_HEAD = Table(
    "changes_head",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    Column("seal", LargeBinary(32), nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
"""One row: where the chain of changes ends, sealed with the collector's key."""

COLLECTORS = Table(
    "collectors",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("url", String(300), nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
)
"""Collectors that share this register, and where they reach each other."""

HOMES = Table(
    "homes",
    METADATA,
    Column("device_id", String(36), ForeignKey("devices.id"), primary_key=True),
    Column("collector_id", String(36), nullable=False),
    Column("since", UtcDateTime, nullable=False),
)
"""The one collector whose journal has a device's readings."""

PEOPLE = Table(
    "people",
    METADATA,
    Column("login", String(80), primary_key=True),
    Column("role", String(16), nullable=False),
    Column("regions", Text),
    Column("status", String(16), nullable=False),
    Column("password_hash", String(200), nullable=False),
    Column("second_factor", LargeBinary(200)),
    Column("last_step", BigInteger, nullable=False, server_default="0"),
    Column("added_at", UtcDateTime, nullable=False),
)
"""Who is let in. `regions` are codes with a space between, null for the whole country; `password_hash` is empty for who
has no password."""

SESSIONS = Table(
    "sessions",
    METADATA,
    Column("token_hash", LargeBinary(32), primary_key=True),
    Column("login", String(80), ForeignKey("people.login"), nullable=False, index=True),
    Column("began_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
)
"""Who is in."""
