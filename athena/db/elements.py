"""The workspace tree, its permission sets and its metadata."""

import json
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Double, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from athena.contract.elements import MetadataEntry
from athena.db.base import BYTE_ORDERED, Base, HasId, now
from athena.domain.metadata import comparable, name_key, value_json
from athena.domain.tree import sort_key


class PermissionSetRow(HasId, Base):
    """Who may do what; elements refer to a set, so that one change reaches all that share it (SH-01).

    A set belongs to the one element that does not inherit it (``uq_element_own_set``). ``revision`` grows with each
    change. Groups' roles are in ``athena.db.groups``.
    """

    __tablename__ = "permission_set"
    __table_args__ = (
        CheckConstraint("public_role IN ('viewer', 'collaborator')", name="public_role"),
        Index(
            "ix_permission_set_public",
            "id",
            sqlite_where=text("public_role IS NOT NULL"),
            postgresql_where=text("public_role IS NOT NULL"),
        ),
    )

    public_role: Mapped[str | None] = mapped_column(String(20), default=None)
    revision: Mapped[int] = mapped_column(default=1, server_default="1")
    grants: Mapped[list["GrantRow"]] = relationship(cascade="all, delete-orphan", lazy="selectin")


class GrantRow(Base):
    """A user's role in a permission set."""

    __tablename__ = "grant"
    __table_args__ = (
        CheckConstraint("role IN ('viewer', 'collaborator', 'owner')", name="role"),
        Index("ix_grant_user_id", "user_id", "permission_set_id"),
    )

    permission_set_id: Mapped[UUID] = mapped_column(
        ForeignKey("permission_set.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[UUID] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str] = mapped_column(String(20))


class ElementRow(HasId, Base):
    """A folder, workflow, step or dataset.

    ``path`` is the chain of ids from the root (``/<hex>/<hex>/``, its own last), for subtree queries and the
    breadcrumb. ``position`` is its place among its siblings, 0 for every root. ``sort_key`` follows ``name``.
    ``inherits``: the permission set is the parent's, so that changes of it reach this element too (SH-01).
    ``revision`` grows with each change that a person makes; what follows from below (a step's status) leaves it.
    """

    __tablename__ = "element"
    __table_args__ = (
        CheckConstraint("kind IN ('folder', 'workflow', 'step', 'dataset')", name="kind"),
        CheckConstraint("(kind = 'folder') OR (parent_id IS NOT NULL)", name="only_folders_are_roots"),
        CheckConstraint("length(name) > 0", name="named"),
        CheckConstraint("status IN ('not_started', 'in_progress', 'completed', 'suspended', 'warning')", name="status"),
        CheckConstraint("state IN ('active', 'deleting', 'archived')", name="state"),
        CheckConstraint("NOT inherits OR parent_id IS NOT NULL", name="roots_inherit_nothing"),
        UniqueConstraint("parent_id", "position"),
        Index("ix_element_sorted", "parent_id", "sort_key", "id"),
        Index("ix_element_created", "parent_id", "created", "id"),
        Index("ix_element_updated", "parent_id", "updated", "id"),
        Index("ix_element_siblings", "parent_id", "permission_set_id"),
        Index(
            "ix_element_tops",
            "sort_key",
            "id",
            sqlite_where=text("inherits = 0"),
            postgresql_where=text("NOT inherits"),
        ),
        Index(
            "uq_element_own_set",
            "permission_set_id",
            unique=True,
            sqlite_where=text("inherits = 0"),
            postgresql_where=text("NOT inherits"),
        ),
        Index("ix_element_path", "path"),
        Index("ix_element_permission_set", "permission_set_id", "path"),
    )

    kind: Mapped[str] = mapped_column(String(20))
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("element.id", ondelete="RESTRICT"), default=None)
    name: Mapped[str] = mapped_column(String(200))
    sort_key: Mapped[str] = mapped_column(BYTE_ORDERED)
    type: Mapped[str] = mapped_column(String(60), default="")
    status: Mapped[str] = mapped_column(String(20), default="not_started")
    state: Mapped[str] = mapped_column(String(20), default="active")
    position: Mapped[int] = mapped_column(default=0)
    description: Mapped[str] = mapped_column(Text, default="")
    path: Mapped[str] = mapped_column(BYTE_ORDERED)
    permission_set_id: Mapped[UUID] = mapped_column(ForeignKey("permission_set.id"))
    inherits: Mapped[bool]
    revision: Mapped[int] = mapped_column(default=1, server_default="1")
    creator_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    created: Mapped[datetime] = mapped_column(default=now)
    updated: Mapped[datetime] = mapped_column(default=now, onupdate=now)

    @validates("name")
    def _order_by_name(self, _attribute: str, name: str) -> str:
        self.sort_key = sort_key(name)
        return name


class MetadataRow(HasId, Base):
    """One metadatum of an element; ``value`` is its JSON text.

    ``name_key`` follows ``name``. The columns after ``unit`` hold the value so that queries can compare it; see
    ``athena.domain.metadata.Comparable``.
    """

    __tablename__ = "metadata_entry"
    __table_args__ = (
        UniqueConstraint("element_id", "group", "name"),
        Index("ix_metadata_entry_text", "name_key", "text_key"),
        Index("ix_metadata_entry_base", "name_key", "base"),
    )

    element_id: Mapped[UUID] = mapped_column(ForeignKey("element.id", ondelete="CASCADE"))
    group: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(200))
    name_key: Mapped[str] = mapped_column(BYTE_ORDERED)
    type: Mapped[str] = mapped_column(String(20))
    value: Mapped[str] = mapped_column(Text)
    quantity: Mapped[str] = mapped_column(String(60), default="")
    unit: Mapped[str] = mapped_column(String(40), default="")
    text_key: Mapped[str | None] = mapped_column(BYTE_ORDERED, default=None)
    number: Mapped[float | None] = mapped_column(Double, default=None)
    base: Mapped[float | None] = mapped_column(Double, default=None)
    moment: Mapped[datetime | None] = mapped_column(default=None)

    @validates("name")
    def _find_by_name(self, _attribute: str, name: str) -> str:
        self.name_key = name_key(name)
        return name

    def fill(self, entry: MetadataEntry) -> bool:
        """Take over type, value and unit of a checked entry; True when anything changed."""
        known = comparable(entry)
        new = {
            "type": entry.type,
            "value": value_json(entry.value),
            "quantity": entry.quantity,
            "unit": entry.unit,
            "text_key": known.text,
            "number": known.number,
            "base": known.base,
            "moment": known.moment,
        }
        changed = {column: value for column, value in new.items() if getattr(self, column) != value}
        for column, value in changed.items():
            setattr(self, column, value)
        return bool(changed)

    def entry(self) -> MetadataEntry:
        """The metadatum as it travels."""
        return MetadataEntry.model_validate(
            {
                "group": self.group,
                "name": self.name,
                "type": self.type,
                "value": json.loads(self.value),
                "quantity": self.quantity,
                "unit": self.unit,
            }
        )


class LastUseRow(Base):
    """When a user last opened an element (recently used, WS-19)."""

    __tablename__ = "last_use"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    element_id: Mapped[UUID] = mapped_column(ForeignKey("element.id", ondelete="CASCADE"), primary_key=True)
    opened: Mapped[datetime] = mapped_column(default=now)


RAW = "raw"
"""Role of an archived file of a session folder. Search leaves it out: nobody gave it its name."""


class FileRow(HasId, Base):
    """A file of an element; ``key`` is its place in the storage, which does not change when it is renamed.

    ``name`` may hold slashes: a file of an uploaded folder. ``sha256`` is empty where it is not known. An element is
    not deleted before its files are, so that no bytes are forgotten on a storage; for the same reason a file that is
    being deleted keeps its row, with ``deleted`` set and its name given up, until its bytes are gone.
    """

    __tablename__ = "file"
    __table_args__ = (
        UniqueConstraint("storage_id", "key"),
        UniqueConstraint("element_id", "name"),
        CheckConstraint("size >= 0", name="size_not_negative"),
        CheckConstraint("length(name) > 0", name="named"),
        Index("ix_file_sorted", "element_id", "sort_key", "id"),
        Index("ix_file_created", "element_id", "created", "id"),
        Index("ix_file_size", "element_id", "size", "id"),
        Index(
            "ix_file_deleted",
            "deleted",
            sqlite_where=text("deleted IS NOT NULL"),
            postgresql_where=text("deleted IS NOT NULL"),
        ),
    )

    element_id: Mapped[UUID] = mapped_column(ForeignKey("element.id", ondelete="RESTRICT"))
    storage_id: Mapped[UUID] = mapped_column(ForeignKey("storage.id", ondelete="RESTRICT"))
    key: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    sort_key: Mapped[str] = mapped_column(BYTE_ORDERED)
    role: Mapped[str] = mapped_column(String(40), default="data")
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    sha256: Mapped[str] = mapped_column(String(64), default="")
    creator_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), default=None)
    created: Mapped[datetime] = mapped_column(default=now)
    acquisition_index: Mapped[int | None] = mapped_column(default=None)
    deleted: Mapped[datetime | None] = mapped_column(default=None)

    @validates("name")
    def _order_by_name(self, _attribute: str, name: str) -> str:
        self.sort_key = sort_key(name)
        return name
