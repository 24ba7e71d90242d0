"""user metrics"""

import sqlalchemy as sa
from alembic import op

import athena.db.base

revision = "user_metrics"
down_revision = "branches"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
    op.create_table(
        "user_metric",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column("digits", sa.Integer(), nullable=False),
        sa.Column("lower_is_better", sa.Boolean(), nullable=True),
        sa.Column("image", sa.Boolean(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("creator_id", sa.Uuid(), nullable=True),
        sa.Column("created", athena.db.base.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_user_metric_run_id_run"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["creator_id"], ["user.id"], name=op.f("fk_user_metric_creator_id_user"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("run_id", "name", name=op.f("pk_user_metric")),
    )
    op.create_table(
        "metric_failure",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("branch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id", "name"],
            ["user_metric.run_id", "user_metric.name"],
            name=op.f("fk_metric_failure_run_id_user_metric"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("run_id", "name", "branch", "index", name=op.f("pk_metric_failure")),
    )


def downgrade() -> None:
    """Take this step back."""
    op.drop_table("metric_failure")
    op.drop_table("user_metric")
