"""quality criteria of runs, and verdicts by hand"""

import sqlalchemy as sa
from alembic import op

import athena.db.base

revision = "criteria"
down_revision = "jobs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.add_column(sa.Column("below_criteria", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "run_criteria",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_run_criteria_run_id_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_run_criteria")),
    )
    op.create_table(
        "verdict",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(length=10), nullable=False),
        sa.Column("username", sa.String(length=200), nullable=False),
        sa.Column("time", athena.db.base.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("verdict IN ('accepted', 'rejected')", name=op.f("ck_verdict_verdict")),
        sa.ForeignKeyConstraint(
            ["run_id", "index"],
            ["acquisition.run_id", "acquisition.index"],
            name=op.f("fk_verdict_run_id_acquisition"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("run_id", "index", name=op.f("pk_verdict")),
    )


def downgrade() -> None:
    """Take this step back."""
    op.drop_table("verdict")
    op.drop_table("run_criteria")
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.drop_column("below_criteria")
