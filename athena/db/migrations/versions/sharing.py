"""groups, revisions, addressed events, audit trail"""

import sqlalchemy as sa
from alembic import op

import athena.db.base

revision = "sharing"
down_revision = "storage"
branch_labels = None
depends_on = None

_ROLES = "role IN ('viewer', 'collaborator', 'owner')"


def upgrade() -> None:
    """Apply this step."""
    op.create_table(
        "group",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("created", athena.db.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_group")),
        sa.UniqueConstraint("name", name=op.f("uq_group_name")),
    )
    op.create_table(
        "group_member",
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["group.id"], name=op.f("fk_group_member_group_id_group"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_group_member_user_id_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("group_id", "user_id", name=op.f("pk_group_member")),
    )
    op.create_index("ix_group_member_user_id", "group_member", ["user_id", "group_id"])
    op.create_table(
        "group_grant",
        sa.Column("permission_set_id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.CheckConstraint(_ROLES, name=op.f("ck_group_grant_role")),
        sa.ForeignKeyConstraint(
            ["permission_set_id"],
            ["permission_set.id"],
            name=op.f("fk_group_grant_permission_set_id_permission_set"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["group_id"], ["group.id"], name=op.f("fk_group_grant_group_id_group"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("permission_set_id", "group_id", name=op.f("pk_group_grant")),
    )
    op.create_index("ix_group_grant_group_id", "group_grant", ["group_id", "permission_set_id"])
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("time", athena.db.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("username", sa.String(length=200), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("element_id", sa.Uuid(), nullable=False),
        sa.Column("element_kind", sa.String(length=20), nullable=False),
        sa.Column("element_name", sa.String(length=200), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index("ix_audit_element_id", "audit", ["element_id", "id"])
    _make_append_only()

    op.add_column("permission_set", sa.Column("revision", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("element", sa.Column("revision", sa.Integer(), nullable=False, server_default="1"))
    op.drop_index("ix_element_permission_set", table_name="element")
    op.create_index("ix_element_permission_set", "element", ["permission_set_id", "path"])
    op.create_index(
        "uq_element_own_set",
        "element",
        ["permission_set_id"],
        unique=True,
        sqlite_where=sa.text("inherits = 0"),
        postgresql_where=sa.text("NOT inherits"),
    )
    op.create_index(
        "ix_permission_set_public",
        "permission_set",
        ["id"],
        sqlite_where=sa.text("public_role IS NOT NULL"),
        postgresql_where=sa.text("public_role IS NOT NULL"),
    )
    op.add_column("event", sa.Column("recipient_id", sa.Uuid(), nullable=True))
    op.create_index("ix_event_kind", "event", ["kind", "seq"])


def _make_append_only() -> None:
    """Let the database itself refuse to change what the audit trail says."""
    if op.get_bind().dialect.name == "sqlite":
        for deed in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_no_{deed.lower()} BEFORE {deed} ON audit "
                "BEGIN SELECT RAISE(ABORT, 'the audit trail only grows'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit trail only grows' USING ERRCODE = 'restrict_violation'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows()"
    )


def downgrade() -> None:
    """Take this step back."""
    op.drop_index("ix_event_kind", table_name="event")
    op.drop_column("event", "recipient_id")
    op.drop_index("ix_permission_set_public", table_name="permission_set")
    op.drop_index("uq_element_own_set", table_name="element")
    op.drop_index("ix_element_permission_set", table_name="element")
    op.create_index("ix_element_permission_set", "element", ["permission_set_id"])
    op.drop_column("element", "revision")
    op.drop_column("permission_set", "revision")
    op.drop_table("audit")
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION audit_only_grows()")
    op.drop_table("group_grant")
    op.drop_table("group_member")
    op.drop_table("group")
