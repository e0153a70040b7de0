"""Versions may expire: their records stay, marked, for the chain of digests."""

import sqlalchemy as sa
from alembic import op

from kb.catalog.schema import Instant

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("snapshot", sa.Column("expired_at", Instant(), nullable=True))
    op.create_index("snapshot_kept", "snapshot", ["expired_at", "version"], unique=False)
