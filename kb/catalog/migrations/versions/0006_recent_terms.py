"""Term statistics of the newest versions apart: they are appended by a publish, and sorted in by upkeep."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "recent_term",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("term", sa.String(length=200), nullable=False),
        sa.Column("delta", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("version", "term"),
        comment="The same of the newest versions, in the order of their publishing: upkeep moves them to `term`.",
        sqlite_with_rowid=False,
    )
