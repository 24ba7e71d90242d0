"""storages by URL, files with names and checksums, uploads that can be resumed"""

import sqlalchemy as sa
from alembic import op

import athena.db.base

revision = "storage"
down_revision = "0001"
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
    # nothing has written to the first form of this table
    op.drop_table("file")
    op.create_table(
        "file",
        sa.Column("element_id", sa.Uuid(), nullable=False),
        sa.Column("storage_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sort_key", athena.db.base.BYTE_ORDERED, nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("creator_id", sa.Uuid(), nullable=True),
        sa.Column("created", athena.db.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("acquisition_index", sa.Integer(), nullable=True),
        sa.Column("deleted", athena.db.base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("size >= 0", name=op.f("ck_file_size_not_negative")),
        sa.CheckConstraint("length(name) > 0", name=op.f("ck_file_named")),
        sa.ForeignKeyConstraint(
            ["element_id"], ["element.id"], name=op.f("fk_file_element_id_element"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["storage_id"], ["storage.id"], name=op.f("fk_file_storage_id_storage"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(["creator_id"], ["user.id"], name=op.f("fk_file_creator_id_user"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_file")),
        sa.UniqueConstraint("storage_id", "key", name=op.f("uq_file_storage_id_key")),
        sa.UniqueConstraint("element_id", "name", name=op.f("uq_file_element_id_name")),
    )
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
    op.drop_table("file")
    op.drop_table("storage")
    op.create_table(
        "file",
        sa.Column("element_id", sa.Uuid(), nullable=False),
        sa.Column("storage", sa.String(length=200), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("checksum", sa.String(length=100), nullable=False),
        sa.Column("acquisition_index", sa.Integer(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["element_id"], ["element.id"], name=op.f("fk_file_element_id_element"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_file")),
        sa.UniqueConstraint("storage", "key", name=op.f("uq_file_storage_key")),
    )
    op.create_index(op.f("ix_file_element_id"), "file", ["element_id"])
