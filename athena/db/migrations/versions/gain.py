"""how a run's gain reference lies, once measured"""

import sqlalchemy as sa
from alembic import op

revision = "gain"
down_revision = "criteria"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
    with op.batch_alter_table("source", schema=None) as batch_op:
        batch_op.add_column(sa.Column("gain_found", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    """Take this step back."""
    with op.batch_alter_table("source", schema=None) as batch_op:
        batch_op.drop_column("gain_found")
