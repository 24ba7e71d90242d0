"""storages by URL, files with names and checksums, uploads that can be resumed"""

import sqlalchemy as sa
from alembic import op

import athena.db.base

revision = "storage"
down_revision = "health"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
    op.create_table(
        "storage",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("secrets", sa.JSON(), nullable=False),
        sa.Column("quota_bytes", sa.BigInteger(), nullable=True),
        sa.Column("chosen", sa.Boolean(), nullable=False),
        sa.Column("created", athena.db.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("checked", athena.db.base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("file_count", sa.Integer(), nullable=False),
        sa.Column("used_bytes", sa.BigInteger(), nullable=False),
        sa.Column("total_bytes", sa.BigInteger(), nullable=True),
        sa.Column("free_bytes", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("role IN ('primary', 'acquisition', 'export', 'archive')", name=op.f("ck_storage_role")),
        sa.CheckConstraint("state IN ('unknown', 'stable', 'down')", name=op.f("ck_storage_state")),
        sa.CheckConstraint("NOT chosen OR role <> 'acquisition'", name=op.f("ck_storage_acquisition_is_not_chosen")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_storage")),
        sa.UniqueConstraint("name", name=op.f("uq_storage_name")),
    )
    op.create_index(
        "uq_storage_chosen",
        "storage",
        ["role"],
        unique=True,
        sqlite_where=sa.text("chosen = 1"),
        postgresql_where=sa.text("chosen"),
    )
    # nothing has written to the first form of this table, so the new columns need no values
    with op.batch_alter_table("file") as batch_op:
        batch_op.drop_constraint("uq_file_storage_key", type_="unique")
        batch_op.drop_constraint("fk_file_element_id_element", type_="foreignkey")
        batch_op.drop_index("ix_file_element_id")
        batch_op.drop_column("storage")
        batch_op.drop_column("checksum")
        batch_op.add_column(sa.Column("storage_id", sa.Uuid(), nullable=False))
        batch_op.add_column(sa.Column("name", sa.Text(), nullable=False))
        batch_op.add_column(sa.Column("sort_key", athena.db.base.BYTE_ORDERED, nullable=False))
        batch_op.add_column(sa.Column("sha256", sa.String(length=64), nullable=False))
        batch_op.add_column(sa.Column("creator_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("created", athena.db.base.UtcDateTime(timezone=True), nullable=False))
        batch_op.add_column(sa.Column("deleted", athena.db.base.UtcDateTime(timezone=True), nullable=True))
        batch_op.create_check_constraint(op.f("ck_file_size_not_negative"), "size >= 0")
        batch_op.create_check_constraint(op.f("ck_file_named"), "length(name) > 0")
        batch_op.create_foreign_key(
            op.f("fk_file_element_id_element"), "element", ["element_id"], ["id"], ondelete="RESTRICT"
        )
        batch_op.create_foreign_key(
            op.f("fk_file_storage_id_storage"), "storage", ["storage_id"], ["id"], ondelete="RESTRICT"
        )
        batch_op.create_foreign_key(
            op.f("fk_file_creator_id_user"), "user", ["creator_id"], ["id"], ondelete="SET NULL"
        )
        batch_op.create_unique_constraint(op.f("uq_file_storage_id_key"), ["storage_id", "key"])
        batch_op.create_unique_constraint(op.f("uq_file_element_id_name"), ["element_id", "name"])
    op.create_index("ix_file_sorted", "file", ["element_id", "sort_key", "id"])
    op.create_index("ix_file_created", "file", ["element_id", "created", "id"])
    op.create_index("ix_file_size", "file", ["element_id", "size", "id"])
    op.create_index(
        "ix_file_deleted",
        "file",
        ["deleted"],
        sqlite_where=sa.text("deleted IS NOT NULL"),
        postgresql_where=sa.text("deleted IS NOT NULL"),
    )
    op.create_table(
        "upload",
        sa.Column("element_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("storage_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("created", athena.db.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires", athena.db.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("size >= 0", name=op.f("ck_upload_size_not_negative")),
        sa.ForeignKeyConstraint(
            ["element_id"], ["element.id"], name=op.f("fk_upload_element_id_element"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_upload_user_id_user"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["storage_id"], ["storage.id"], name=op.f("fk_upload_storage_id_storage"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload")),
    )
    op.create_index("ix_upload_element", "upload", ["element_id"])
    op.create_index("ix_upload_expires", "upload", ["expires"])


def downgrade() -> None:
    """Take this step back."""
    op.drop_table("upload")
    for index in ("ix_file_sorted", "ix_file_created", "ix_file_size", "ix_file_deleted"):
        op.drop_index(index, "file")
    # what lies on the storages stays there; the first form of this table cannot name it
    op.execute(sa.text("DELETE FROM file"))
    with op.batch_alter_table("file") as batch_op:
        batch_op.drop_constraint("uq_file_element_id_name", type_="unique")
        batch_op.drop_constraint("uq_file_storage_id_key", type_="unique")
        for column, table in (("element_id", "element"), ("storage_id", "storage"), ("creator_id", "user")):
            batch_op.drop_constraint(op.f(f"fk_file_{column}_{table}"), type_="foreignkey")
        for check in ("size_not_negative", "named"):
            batch_op.drop_constraint(op.f(f"ck_file_{check}"), type_="check")
        for column in ("storage_id", "name", "sort_key", "sha256", "creator_id", "created", "deleted"):
            batch_op.drop_column(column)
        batch_op.add_column(sa.Column("storage", sa.String(length=200), nullable=False))
        batch_op.add_column(sa.Column("checksum", sa.String(length=100), nullable=False))
        batch_op.create_foreign_key(
            op.f("fk_file_element_id_element"), "element", ["element_id"], ["id"], ondelete="CASCADE"
        )
        batch_op.create_unique_constraint(op.f("uq_file_storage_key"), ["storage", "key"])
    op.create_index(op.f("ix_file_element_id"), "file", ["element_id"])
    op.drop_table("storage")
