"""first schema"""

import sqlalchemy as sa
from alembic import op

import athena.db.base

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
    op.create_table(
        "event_clock",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_clock")),
    )
    op.create_table(
        "permission_set",
        sa.Column("public_role", sa.String(length=20), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("public_role IN ('viewer', 'collaborator')", name=op.f("ck_permission_set_public_role")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_permission_set")),
    )
    op.create_table(
        "user",
        sa.Column("username", sa.String(length=200), nullable=False),
        sa.Column("display_name", sa.String(length=200), nullable=False),
        sa.Column("password_hash", sa.String(length=300), nullable=False),
        sa.Column("created", athena.db.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user")),
        sa.UniqueConstraint("username", name=op.f("uq_user_username")),
    )
    op.create_table(
        "element",
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("sort_key", athena.db.base.BYTE_ORDERED, nullable=False),
        sa.Column("type", sa.String(length=60), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("path", athena.db.base.BYTE_ORDERED, nullable=False),
        sa.Column("permission_set_id", sa.Uuid(), nullable=False),
        sa.Column("inherits", sa.Boolean(), nullable=False),
        sa.Column("creator_id", sa.Uuid(), nullable=False),
        sa.Column("created", athena.db.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated", athena.db.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(kind = 'folder') OR (parent_id IS NOT NULL)", name=op.f("ck_element_only_folders_are_roots")
        ),
        sa.CheckConstraint("kind IN ('folder', 'workflow', 'step', 'dataset')", name=op.f("ck_element_kind")),
        sa.CheckConstraint("length(name) > 0", name=op.f("ck_element_named")),
        sa.CheckConstraint(
            "status IN ('not_started', 'in_progress', 'completed', 'suspended', 'warning')",
            name=op.f("ck_element_status"),
        ),
        sa.CheckConstraint("state IN ('active', 'deleting', 'archived')", name=op.f("ck_element_state")),
        sa.CheckConstraint("NOT inherits OR parent_id IS NOT NULL", name=op.f("ck_element_roots_inherit_nothing")),
        sa.ForeignKeyConstraint(["creator_id"], ["user.id"], name=op.f("fk_element_creator_id_user")),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["element.id"], name=op.f("fk_element_parent_id_element"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["permission_set_id"], ["permission_set.id"], name=op.f("fk_element_permission_set_id_permission_set")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_element")),
        sa.UniqueConstraint("parent_id", "position", name=op.f("uq_element_parent_id_position")),
    )
    with op.batch_alter_table("element", schema=None) as batch_op:
        batch_op.create_index("ix_element_sorted", ["parent_id", "sort_key", "id"], unique=False)
        batch_op.create_index("ix_element_created", ["parent_id", "created", "id"], unique=False)
        batch_op.create_index("ix_element_updated", ["parent_id", "updated", "id"], unique=False)
        batch_op.create_index("ix_element_siblings", ["parent_id", "permission_set_id"], unique=False)
        batch_op.create_index(
            "ix_element_tops",
            ["sort_key", "id"],
            unique=False,
            sqlite_where=sa.text("inherits = 0"),
            postgresql_where=sa.text("NOT inherits"),
        )
        batch_op.create_index("ix_element_path", ["path"], unique=False)
        batch_op.create_index("ix_element_permission_set", ["permission_set_id"], unique=False)

    op.create_table(
        "grant",
        sa.Column("permission_set_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.CheckConstraint("role IN ('viewer', 'collaborator', 'owner')", name=op.f("ck_grant_role")),
        sa.ForeignKeyConstraint(
            ["permission_set_id"],
            ["permission_set.id"],
            name=op.f("fk_grant_permission_set_id_permission_set"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_grant_user_id_user"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("permission_set_id", "user_id", name=op.f("pk_grant")),
    )
    with op.batch_alter_table("grant", schema=None) as batch_op:
        batch_op.create_index("ix_grant_user_id", ["user_id", "permission_set_id"], unique=False)

    op.create_table(
        "token",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("created", athena.db.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires", athena.db.base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("kind IN ('local', 'hub', 'service')", name=op.f("ck_token_kind")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_token_user_id_user"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
        sa.UniqueConstraint("sha256", name=op.f("uq_token_sha256")),
    )
    with op.batch_alter_table("token", schema=None) as batch_op:
        batch_op.create_index("ix_token_user", ["user_id"], unique=False)

    op.create_table(
        "user_role",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_user_role_user_id_user"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "role", name=op.f("pk_user_role")),
    )
    op.create_table(
        "event",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("time", athena.db.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("element_id", sa.Uuid(), nullable=True),
        sa.Column("index", sa.Integer(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["element_id"], ["element.id"], name=op.f("fk_event_element_id_element"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_event")),
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index("ix_event_element", ["element_id", "seq"], unique=False)

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
    with op.batch_alter_table("file", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_file_element_id"), ["element_id"], unique=False)

    op.create_table(
        "job",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("element_id", sa.Uuid(), nullable=True),
        sa.Column("initiator_id", sa.Uuid(), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("lease_owner", sa.String(length=100), nullable=True),
        sa.Column("lease_until", athena.db.base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("created", athena.db.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("started", athena.db.base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("finished", athena.db.base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state IN ('pending', 'running', 'finished', 'failed', 'cancelled')", name=op.f("ck_job_state")
        ),
        sa.ForeignKeyConstraint(
            ["element_id"], ["element.id"], name=op.f("fk_job_element_id_element"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["initiator_id"], ["user.id"], name=op.f("fk_job_initiator_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.create_index("ix_job_element", ["element_id"], unique=False)
        batch_op.create_index("ix_job_state", ["state", "kind"], unique=False)
        batch_op.create_index(
            "uq_job_processing",
            ["element_id"],
            unique=True,
            sqlite_where=sa.text("kind = 'processing'"),
            postgresql_where=sa.text("kind = 'processing'"),
        )

    op.create_table(
        "last_use",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("element_id", sa.Uuid(), nullable=False),
        sa.Column("opened", athena.db.base.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["element_id"], ["element.id"], name=op.f("fk_last_use_element_id_element"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_last_use_user_id_user"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "element_id", name=op.f("pk_last_use")),
    )
    op.create_table(
        "metadata_entry",
        sa.Column("element_id", sa.Uuid(), nullable=False),
        sa.Column("group", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("type", sa.String(length=20), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("quantity", sa.String(length=60), nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["element_id"], ["element.id"], name=op.f("fk_metadata_entry_element_id_element"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_metadata_entry")),
        sa.UniqueConstraint("element_id", "group", "name", name=op.f("uq_metadata_entry_element_id_group_name")),
    )
    op.create_table(
        "run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("acquisition_count", sa.Integer(), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["element.id"], name=op.f("fk_run_id_element"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
    )
    op.create_table(
        "acquisition",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("acquired", athena.db.base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("registered", athena.db.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("processed", athena.db.base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("movie", sa.Text(), nullable=True),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("optics", sa.JSON(), nullable=False),
        sa.Column("stage", sa.JSON(), nullable=True),
        sa.Column("grid_square_id", sa.BigInteger(), nullable=True),
        sa.Column("foil_hole_id", sa.BigInteger(), nullable=True),
        sa.Column("flags", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "state IN ('awaiting_movie', 'registered', 'processing', 'completed', 'error')",
            name=op.f("ck_acquisition_state"),
        ),
        sa.CheckConstraint('"index" >= 0', name=op.f("ck_acquisition_index_not_negative")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_acquisition_run_id_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "index", name=op.f("pk_acquisition")),
        sa.UniqueConstraint("run_id", "name", name=op.f("uq_acquisition_run_id_name")),
    )
    with op.batch_alter_table("acquisition", schema=None) as batch_op:
        batch_op.create_index("ix_acquisition_state", ["run_id", "state", "index"], unique=False)

    op.create_table(
        "atlas",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("atlas_id", sa.String(length=200), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_atlas_run_id_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "atlas_id", name=op.f("pk_atlas")),
    )
    op.create_table(
        "foil_hole",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("hole_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("square_id", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_foil_hole_run_id_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "hole_id", name=op.f("pk_foil_hole")),
    )
    op.create_table(
        "grid_square",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("square_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("atlas_id", sa.String(length=200), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_grid_square_run_id_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "square_id", name=op.f("pk_grid_square")),
    )
    op.create_table(
        "source",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("adapter", sa.String(length=40), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("follow", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("session_name", sa.String(length=300), nullable=False),
        sa.Column("gain_reference", sa.Text(), nullable=True),
        sa.Column("last_scan", athena.db.base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("movies_missing", sa.Integer(), nullable=False),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("lease_owner", sa.String(length=100), nullable=True),
        sa.Column("lease_until", athena.db.base.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_source_run_id_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_source")),
    )
    op.execute(sa.text("INSERT INTO event_clock (id, seq) VALUES (1, 0)"))


def downgrade() -> None:
    """Take this step back."""
    op.drop_table("source")
    op.drop_table("grid_square")
    op.drop_table("foil_hole")
    op.drop_table("atlas")
    with op.batch_alter_table("acquisition", schema=None) as batch_op:
        batch_op.drop_index("ix_acquisition_state")

    op.drop_table("acquisition")
    op.drop_table("run")
    op.drop_table("metadata_entry")
    op.drop_table("last_use")
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.drop_index("uq_job_processing")
        batch_op.drop_index("ix_job_state")
        batch_op.drop_index("ix_job_element")

    op.drop_table("job")
    with op.batch_alter_table("file", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_file_element_id"))

    op.drop_table("file")
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_index("ix_event_element")

    op.drop_table("event")
    op.drop_table("user_role")
    with op.batch_alter_table("token", schema=None) as batch_op:
        batch_op.drop_index("ix_token_user")

    op.drop_table("token")
    with op.batch_alter_table("grant", schema=None) as batch_op:
        batch_op.drop_index("ix_grant_user_id")

    op.drop_table("grant")
    with op.batch_alter_table("element", schema=None) as batch_op:
        batch_op.drop_index("ix_element_permission_set")
        batch_op.drop_index("ix_element_path")
        batch_op.drop_index("ix_element_tops")
        batch_op.drop_index("ix_element_siblings")
        batch_op.drop_index("ix_element_updated")
        batch_op.drop_index("ix_element_created")
        batch_op.drop_index("ix_element_sorted")

    op.drop_table("element")
    op.drop_table("user")
    op.drop_table("permission_set")
    op.drop_table("event_clock")
