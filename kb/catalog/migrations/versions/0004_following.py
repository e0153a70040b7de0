"""How sources are followed: their targets and guards, and how each stands with the daemon."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "standing",
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.String(length=32), nullable=True),
        sa.Column("retry_at", sa.String(length=32), nullable=True),
        sa.Column("next_at", sa.String(length=32), nullable=True),
        sa.Column("running_since", sa.String(length=32), nullable=True),
        sa.Column("changed_at", sa.String(length=32), nullable=True),
        sa.Column("guarded", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("source"),
        comment="How each source stands with the daemon that follows it.",
    )
    with op.batch_alter_table("source") as table:
        table.add_column(sa.Column("fresh_within", sa.String(length=32), nullable=True))
        table.add_column(sa.Column("delete_guard", sa.Float(), nullable=True))
        table.add_column(sa.Column("keep_original", sa.Boolean(), nullable=False, server_default=sa.false()))
