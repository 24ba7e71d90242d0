"""branches of results"""

import sqlalchemy as sa
from alembic import op

import athena.db.base

revision = "branches"
down_revision = "gain"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.add_column(sa.Column("branch", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("branch_count", sa.Integer(), nullable=False, server_default="1"))
    op.create_table(
        "branch",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("creator_id", sa.Uuid(), nullable=True),
        sa.Column("created", athena.db.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("deleting", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_branch_run_id_run"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["creator_id"], ["user.id"], name=op.f("fk_branch_creator_id_user"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("run_id", "number", name=op.f("pk_branch")),
        sa.UniqueConstraint("run_id", "name", name=op.f("uq_branch_run_id_name")),
    )
    op.create_table(
        "branch_acquisition",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("flags", sa.JSON(), nullable=False),
        sa.Column("processed", athena.db.base.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id", "number"],
            ["branch.run_id", "branch.number"],
            name=op.f("fk_branch_acquisition_run_id_branch"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("run_id", "number", "index", name=op.f("pk_branch_acquisition")),
    )
    op.create_index("ix_branch_acquisition_state", "branch_acquisition", ["run_id", "number", "state", "index"])


def downgrade() -> None:
    """Take this step back."""
    op.drop_table("branch_acquisition")
    op.drop_table("branch")
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.drop_column("branch_count")
        batch_op.drop_column("branch")
