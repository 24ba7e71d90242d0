"""named filters"""

import sqlalchemy as sa
from alembic import op

import athena.db.base

revision = "named_filters"
down_revision = "user_metrics"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
    op.create_table(
        "named_filter",
        sa.Column("workflow_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("key", athena.db.base.BYTE_ORDERED, nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("creator_id", sa.Uuid(), nullable=True),
        sa.Column("created", athena.db.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated", athena.db.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("length(name) > 0", name=op.f("ck_named_filter_named")),
        sa.ForeignKeyConstraint(
            ["workflow_id"], ["element.id"], name=op.f("fk_named_filter_workflow_id_element"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["creator_id"], ["user.id"], name=op.f("fk_named_filter_creator_id_user"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_named_filter")),
        sa.UniqueConstraint("workflow_id", "key", name=op.f("uq_named_filter_workflow_id_key")),
    )


def downgrade() -> None:
    """Take this step back."""
    op.drop_table("named_filter")
