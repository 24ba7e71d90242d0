"""people: accounts, tokens of scripts, licences, limits on log-in"""

from datetime import UTC, datetime
from uuid import uuid4

import sqlalchemy as sa
from alembic import op

import athena.db.base

revision = "people"
down_revision = "sharing"
branch_labels = None
depends_on = None

BUILTIN_ADMIN = "athena-admin"


def upgrade() -> None:
    """Apply this step."""
    _widen_users()
    _widen_tokens()
    op.create_table(
        "login_attempt",
        sa.Column("name_sha256", sa.String(length=64), nullable=False),
        sa.Column("peer", sa.String(length=64), nullable=False),
        sa.Column("time", athena.db.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("succeeded", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_attempt")),
    )
    op.create_index("ix_login_attempt_name", "login_attempt", ["name_sha256", "time"])
    op.create_index("ix_login_attempt_peer", "login_attempt", ["peer", "time"])
    op.create_index("ix_login_attempt_time", "login_attempt", ["time"])
    op.create_table(
        "licence",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("installed", athena.db.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("installed_by", sa.String(length=200), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_licence")),
    )
    platform = op.create_table(
        "platform",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_platform_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_platform")),
    )
    op.bulk_insert(platform, [{"id": 1, "platform_id": uuid4()}])
    _add_builtin_admin()


def _widen_users() -> None:
    with op.batch_alter_table("user") as batch:
        batch.add_column(sa.Column("email", sa.String(length=320), server_default="", nullable=False))
        batch.add_column(sa.Column("first_name", sa.String(length=100), server_default="", nullable=False))
        batch.add_column(sa.Column("last_name", sa.String(length=100), server_default="", nullable=False))
        batch.add_column(sa.Column("source", sa.String(length=20), server_default="local", nullable=False))
        batch.add_column(sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False))
        batch.add_column(sa.Column("seated", athena.db.base.UtcDateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column("last_seen", athena.db.base.UtcDateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column("removed", athena.db.base.UtcDateTime(timezone=True), nullable=True))
        batch.create_check_constraint(op.f("ck_user_source"), "source IN ('local', 'ldap', 'hub')")
        batch.create_check_constraint(
            op.f("ck_user_removed_is_out"), "removed IS NULL OR (NOT active AND seated IS NULL)"
        )


def _widen_tokens() -> None:
    with op.batch_alter_table("token") as batch:
        batch.add_column(sa.Column("scope", sa.String(length=20), server_default="admin", nullable=False))
        batch.add_column(sa.Column("start", sa.String(length=20), server_default="", nullable=False))
        batch.add_column(sa.Column("last_used", athena.db.base.UtcDateTime(timezone=True), nullable=True))
        batch.drop_constraint(op.f("ck_token_kind"), type_="check")
        batch.create_check_constraint(op.f("ck_token_kind"), "kind IN ('local', 'hub', 'service', 'token')")
        batch.create_check_constraint(op.f("ck_token_scope"), "scope IN ('read', 'write', 'admin')")
    op.create_index(
        "ix_token_name",
        "token",
        ["user_id", "name"],
        unique=True,
        sqlite_where=sa.text("kind = 'token'"),
        postgresql_where=sa.text("kind = 'token'"),
    )


def _add_builtin_admin() -> None:
    """Add the built-in account, unless an earlier upgrade, or a person of that name, is there already."""
    moment = athena.db.base.UtcDateTime(timezone=True)
    user = sa.table(
        "user",
        sa.column("id", sa.Uuid()),
        sa.column("username", sa.String()),
        sa.column("display_name", sa.String()),
        sa.column("password_hash", sa.String()),
        sa.column("created", moment),
    )
    role = sa.table("user_role", sa.column("user_id", sa.Uuid()), sa.column("role", sa.String()))
    connection = op.get_bind()
    found = connection.scalar(sa.select(user.c.id).where(user.c.username == BUILTIN_ADMIN))
    if found is None:
        found = uuid4()
        connection.execute(
            sa.insert(user).values(
                id=found,
                username=BUILTIN_ADMIN,
                display_name="Built-in administrator",
                password_hash="",
                created=datetime.now(UTC),
            )
        )
    held = connection.scalars(sa.select(role.c.role).where(role.c.user_id == found)).all()
    if "customer-admin" not in held:
        connection.execute(sa.insert(role).values(user_id=found, role="customer-admin"))


def downgrade() -> None:
    """Undo this step; the built-in account stays, since elements may name it."""
    op.drop_table("platform")
    op.drop_table("licence")
    op.drop_table("login_attempt")
    op.drop_index("ix_token_name", table_name="token")
    op.execute("DELETE FROM token WHERE kind = 'token' OR scope <> 'admin'")
    with op.batch_alter_table("token") as batch:
        batch.drop_constraint(op.f("ck_token_scope"), type_="check")
        batch.drop_constraint(op.f("ck_token_kind"), type_="check")
        batch.create_check_constraint(op.f("ck_token_kind"), "kind IN ('local', 'hub', 'service')")
        batch.drop_column("last_used")
        batch.drop_column("start")
        batch.drop_column("scope")
    with op.batch_alter_table("user") as batch:
        batch.drop_constraint(op.f("ck_user_removed_is_out"), type_="check")
        batch.drop_constraint(op.f("ck_user_source"), type_="check")
        for column in ("removed", "last_seen", "seated", "active", "source", "last_name", "first_name", "email"):
            batch.drop_column(column)
