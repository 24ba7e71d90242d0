"""services and their heartbeats"""

import sqlalchemy as sa
from alembic import op

import athena.db.base

revision = "health"
down_revision = "metadata"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
    op.create_table(
        "service",
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("version", sa.String(length=100), nullable=False),
        sa.Column("host", sa.String(length=100), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("started", athena.db.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("seen", athena.db.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("period_s", sa.Float(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("cluster", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("kind IN ('api', 'portal', 'runner')", name=op.f("ck_service_kind")),
        sa.CheckConstraint("period_s > 0", name=op.f("ck_service_period")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service")),
    )
    op.create_index("ix_service_kind", "service", ["kind", "host"])


def downgrade() -> None:
    """Undo this step."""
    op.drop_index("ix_service_kind", table_name="service")
    op.drop_table("service")
