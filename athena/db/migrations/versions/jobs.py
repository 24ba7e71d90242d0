"""jobs of every kind, and events that outlive their element"""

import sqlalchemy as sa
from alembic import op

import athena.db.base

revision = "jobs"
down_revision = "health"
branch_labels = None
depends_on = None

_TAKEN = sa.text("slot <> '' AND state IN ('pending', 'running')")


def upgrade() -> None:
    """Apply this step."""
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.add_column(sa.Column("subject", sa.String(length=200), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("slot", sa.String(length=40), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("checkpoint", sa.JSON(), nullable=False, server_default="{}"))
        batch_op.add_column(sa.Column("result", sa.JSON(), nullable=False, server_default="{}"))
        batch_op.add_column(sa.Column("unit", sa.String(length=40), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("item", sa.Text(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("cancelling", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("not_before", athena.db.base.UtcDateTime(timezone=True), nullable=True))
        batch_op.alter_column("done", existing_type=sa.Integer(), type_=sa.BigInteger(), existing_nullable=False)
        batch_op.alter_column("total", existing_type=sa.Integer(), type_=sa.BigInteger(), existing_nullable=False)
        batch_op.drop_constraint("fk_job_element_id_element", type_="foreignkey")
        batch_op.create_foreign_key("fk_job_element_id_element", "element", ["element_id"], ["id"], ondelete="SET NULL")
        batch_op.create_index(
            "uq_job_slot", ["element_id", "slot"], unique=True, sqlite_where=_TAKEN, postgresql_where=_TAKEN
        )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_constraint("fk_event_element_id_element", type_="foreignkey")
        batch_op.add_column(sa.Column("permission_set_id", sa.Uuid(), nullable=True))

    op.create_table(
        "job_item",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("left_out", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_job_item_job_id_job"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", "name", name=op.f("pk_job_item")),
    )
    op.create_table(
        "run_filter",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_run_filter_run_id_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_run_filter")),
    )


def downgrade() -> None:
    """Take this step back."""
    op.drop_table("run_filter")
    op.drop_table("job_item")
    op.execute("UPDATE event SET element_id = NULL WHERE element_id NOT IN (SELECT id FROM element)")
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_column("permission_set_id")
        batch_op.create_foreign_key(
            "fk_event_element_id_element", "element", ["element_id"], ["id"], ondelete="SET NULL"
        )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.drop_index("uq_job_slot")
        batch_op.drop_constraint("fk_job_element_id_element", type_="foreignkey")
        batch_op.create_foreign_key("fk_job_element_id_element", "element", ["element_id"], ["id"], ondelete="CASCADE")
        batch_op.alter_column("total", existing_type=sa.BigInteger(), type_=sa.Integer(), existing_nullable=False)
        batch_op.alter_column("done", existing_type=sa.BigInteger(), type_=sa.Integer(), existing_nullable=False)
        for name in ("not_before", "cancelling", "attempts", "item", "unit", "result", "checkpoint", "slot", "subject"):
            batch_op.drop_column(name)
