"""versions of named filters"""

import hashlib
import json
from typing import Any

import sqlalchemy as sa
from alembic import op

import athena.db.base

revision = "filter_versions"
down_revision = "named_filters"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step: what each filter is now becomes a version; what it was before, nobody kept."""
    op.create_table(
        "filter_version",
        sa.Column("filter_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("workflow_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("rules_hash", sa.String(length=64), nullable=False),
        sa.Column("username", sa.String(length=200), nullable=False),
        sa.Column("time", athena.db.base.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["workflow_id"], ["element.id"], name=op.f("fk_filter_version_workflow_id_element"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("filter_id", "number", name=op.f("pk_filter_version")),
    )
    op.create_index("ix_filter_version_rules", "filter_version", ["workflow_id", "rules_hash"])
    kept, made, user = (_table(name) for name in ("named_filter", "filter_version", "user"))
    query = sa.select(kept, user.c.username).outerjoin(user, user.c.id == kept.c.creator_id)
    for row in op.get_bind().execute(query).mappings().all():
        # of one that was changed only its maker is known, not who changed it
        username = (row["username"] or "") if row["revision"] == 1 else ""
        values = {
            "filter_id": row["id"],
            "number": row["revision"],
            "workflow_id": row["workflow_id"],
            "name": row["name"],
            "rules": row["rules"],
            "rules_hash": _hash(row["rules"]),
            "username": username,
            "time": row["updated"],
        }
        op.get_bind().execute(made.insert().values(values))


def downgrade() -> None:
    """Take this step back."""
    op.drop_index("ix_filter_version_rules", table_name="filter_version")
    op.drop_table("filter_version")


def _table(name: str) -> sa.Table:
    """A table as it is at this step."""
    columns = {
        "named_filter": ("workflow_id", "name", "rules", "revision", "creator_id", "updated", "id"),
        "filter_version": ("filter_id", "number", "workflow_id", "name", "rules", "rules_hash", "username", "time"),
        "user": ("id", "username"),
    }
    types: dict[str, Any] = {
        **dict.fromkeys(("id", "workflow_id", "filter_id", "creator_id"), sa.Uuid()),
        **dict.fromkeys(("time", "updated"), athena.db.base.UtcDateTime(timezone=True)),
        "rules": sa.JSON(),
    }
    return sa.Table(name, sa.MetaData(), *(sa.Column(one, types.get(one)) for one in columns[name]))


def _hash(rules: list[dict[str, Any]]) -> str:
    """As ``rules_hash`` of ``athena.domain.filters`` is at this step."""
    parts = ("metric", "operator", "value", "upper")
    told = {json.dumps([rule.get(part) for part in parts]) for rule in rules}
    return hashlib.sha256("\n".join(sorted(told)).encode()).hexdigest()
