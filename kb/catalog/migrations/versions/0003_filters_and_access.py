"""Facets that were indexed, and who may see which document."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "facet",
        sa.Column("facet_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("facet_id"),
        comment="Facets that were ever indexed, by the digest of name and value; of metadata the name alone.",
    )
    op.create_index("facet_name", "facet", ["name"], unique=False)
    op.create_table(
        "document_access",
        sa.Column("document_id", sa.String(length=32), nullable=False),
        sa.Column("own", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("groups", sa.JSON(), nullable=False),
        sa.Column("applied", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("document_id"),
        comment="Who may see a document, in all its versions: what its source says of it (`own`), and what holds.",
    )
    with op.batch_alter_table("source") as table:
        table.add_column(sa.Column("access", sa.JSON(none_as_null=True), nullable=True))
