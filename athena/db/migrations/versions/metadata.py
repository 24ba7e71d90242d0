"""typed metadata, notes, samples, search"""

import json
import re
import unicodedata
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

import athena.db.base

revision = "metadata"
down_revision = "people"
branch_labels = None
depends_on = None

# what acquisitions wrote before: unit as written -> (quantity, symbol, factor to the quantity's base)
_UNITS = {
    ("length", "µm"): ("length", "µm", 1e-6),
    ("length", "Å"): ("length", "Å", 1e-10),
    ("angle", "°"): ("angle", "°", 1.0),
    ("time", "s"): ("time", "s", 1.0),
    ("voltage", "kV"): ("voltage", "kV", 1e3),
    ("energy", "eV"): ("energy", "eV", 1.602176634e-19),
    ("dose", "e⁻/Å²"): ("electron_dose", "e⁻/Å²", 1.0),
}

_SQLITE_INDEX = (
    "CREATE VIRTUAL TABLE search_fts USING fts5(name, metadata, notes, content='search_entry', content_rowid='id', "
    "tokenize='ascii', detail=column, prefix='2')",
    "CREATE TRIGGER search_entry_added AFTER INSERT ON search_entry BEGIN "
    "INSERT INTO search_fts(rowid, name, metadata, notes) VALUES (new.id, new.name, new.metadata, new.notes); END",
    "CREATE TRIGGER search_entry_gone AFTER DELETE ON search_entry BEGIN "
    "INSERT INTO search_fts(search_fts, rowid, name, metadata, notes) "
    "VALUES ('delete', old.id, old.name, old.metadata, old.notes); END",
    "CREATE TRIGGER search_entry_changed AFTER UPDATE ON search_entry BEGIN "
    "INSERT INTO search_fts(search_fts, rowid, name, metadata, notes) "
    "VALUES ('delete', old.id, old.name, old.metadata, old.notes); "
    "INSERT INTO search_fts(rowid, name, metadata, notes) VALUES (new.id, new.name, new.metadata, new.notes); END",
)
_POSTGRESQL_INDEX = (
    "CREATE TABLE search_fts (id bigint PRIMARY KEY REFERENCES search_entry(id) ON DELETE CASCADE, words tsvector)",
    "CREATE INDEX ix_search_fts_words ON search_fts USING gin (words)",
    """CREATE FUNCTION search_entry_words() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO search_fts (id, words) VALUES (new.id,
        setweight(to_tsvector('simple', new.name), 'A') || setweight(to_tsvector('simple', new.metadata), 'B')
        || setweight(to_tsvector('simple', new.notes), 'C'))
    ON CONFLICT (id) DO UPDATE SET words = excluded.words;
    RETURN new; END $$""",
    "CREATE TRIGGER search_entry_written AFTER INSERT OR UPDATE ON search_entry "
    "FOR EACH ROW EXECUTE FUNCTION search_entry_words()",
)


def upgrade() -> None:
    """Apply this step."""
    _type_metadata()
    _add_notes_and_samples()
    _add_search()


def downgrade() -> None:
    """Take this step back."""
    op.execute("DROP TABLE search_fts")
    op.drop_table("search_entry")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION search_entry_words()")
    op.drop_table("reindex")
    op.drop_table("sample_link")
    op.drop_table("sample")
    op.drop_table("note")
    with op.batch_alter_table("metadata_entry") as batch_op:
        batch_op.drop_index("ix_metadata_entry_text")
        batch_op.drop_index("ix_metadata_entry_base")
        for name in ("name_key", "text_key", "number", "base", "moment"):
            batch_op.drop_column(name)


def _type_metadata() -> None:
    with op.batch_alter_table("metadata_entry") as batch_op:
        batch_op.add_column(sa.Column("name_key", athena.db.base.BYTE_ORDERED, nullable=True))
        batch_op.add_column(sa.Column("text_key", athena.db.base.BYTE_ORDERED, nullable=True))
        batch_op.add_column(sa.Column("number", sa.Double(), nullable=True))
        batch_op.add_column(sa.Column("base", sa.Double(), nullable=True))
        batch_op.add_column(sa.Column("moment", athena.db.base.UtcDateTime(timezone=True), nullable=True))
    _fill_metadata()
    with op.batch_alter_table("metadata_entry") as batch_op:
        batch_op.alter_column("name_key", existing_type=athena.db.base.BYTE_ORDERED, nullable=False)
        batch_op.create_index("ix_metadata_entry_text", ["name_key", "text_key"], unique=False)
        batch_op.create_index("ix_metadata_entry_base", ["name_key", "base"], unique=False)


def _fill_metadata() -> None:
    known = ("id", "name", "type", "value", "quantity", "unit", "name_key", "text_key", "number", "base")
    table = sa.table(
        "metadata_entry", *(sa.column(name) for name in known), sa.column("moment", athena.db.base.UtcDateTime())
    )
    connection = op.get_bind()
    for row in connection.execute(sa.select(table)).mappings().all():
        connection.execute(sa.update(table).where(table.c.id == row["id"]).values(**_typed(row)))


def _typed(row: Any) -> dict[str, Any]:
    """Columns of an entry as they were written before."""
    value = json.loads(row["value"])
    found: dict[str, Any] = {"name_key": " ".join(_folded(row["name"]).replace("_", " ").split())}
    if row["type"] == "date":
        read = datetime.fromisoformat(value)
        return found | {"moment": read.replace(tzinfo=UTC) if read.tzinfo is None else read}
    if row["type"] == "string":
        text = f"{value} {row['unit']}".strip()
        said = {"value": json.dumps(text, ensure_ascii=False), "quantity": "", "unit": ""}
        return found | said | {"text_key": _folded(text).strip()[:500]}
    quantity, unit, factor = _UNITS.get((row["quantity"], row["unit"]), ("", "", 1.0))
    return found | {"number": float(value), "base": float(value) * factor, "quantity": quantity, "unit": unit}


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()


def _add_notes_and_samples() -> None:
    utc = athena.db.base.UtcDateTime(timezone=True)
    op.create_table(
        "note",
        sa.Column("element_id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("links", sa.JSON(), nullable=False),
        sa.Column("created", utc, nullable=False),
        sa.Column("updated", utc, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("length(text) > 0", name=op.f("ck_note_says_something")),
        sa.ForeignKeyConstraint(["author_id"], ["user.id"], name=op.f("fk_note_author_id_user")),
        sa.ForeignKeyConstraint(
            ["element_id"], ["element.id"], name=op.f("fk_note_element_id_element"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note")),
    )
    op.create_index("ix_note_element", "note", ["element_id"], unique=False)
    op.create_table(
        "sample",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("sort_key", athena.db.base.BYTE_ORDERED, nullable=False),
        sa.Column("type", sa.String(length=100), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("barcode", sa.String(length=100), nullable=False),
        sa.Column("cassette", sa.String(length=100), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=True),
        sa.Column("entries", sa.JSON(), nullable=False),
        sa.Column("creator_id", sa.Uuid(), nullable=False),
        sa.Column("created", utc, nullable=False),
        sa.Column("updated", utc, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("length(name) > 0", name=op.f("ck_sample_named")),
        sa.ForeignKeyConstraint(["creator_id"], ["user.id"], name=op.f("fk_sample_creator_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sample")),
    )
    op.create_index("ix_sample_creator", "sample", ["creator_id"], unique=False)
    op.create_index("ix_sample_sorted", "sample", ["sort_key", "id"], unique=False)
    op.create_table(
        "sample_link",
        sa.Column("sample_id", sa.Uuid(), nullable=False),
        sa.Column("element_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["element_id"], ["element.id"], name=op.f("fk_sample_link_element_id_element"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["sample_id"], ["sample.id"], name=op.f("fk_sample_link_sample_id_sample"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sample_id", "element_id", name=op.f("pk_sample_link")),
    )
    op.create_index("ix_sample_link_element", "sample_link", ["element_id"], unique=False)


def _add_search() -> None:
    op.create_table(
        "reindex",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Uuid(), nullable=True),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reindex")),
    )
    op.create_table(
        "search_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("element_id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=True),
        sa.Column("name_key", athena.db.base.BYTE_ORDERED, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("metadata", sa.Text(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["element_id"], ["element.id"], name=op.f("fk_search_entry_element_id_element"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["file_id"], ["file.id"], name=op.f("fk_search_entry_file_id_file"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_entry")),
        sa.UniqueConstraint("subject_id", name=op.f("uq_search_entry_subject_id")),
    )
    op.create_index("ix_search_entry_element", "search_entry", ["element_id"], unique=False)
    op.create_index("ix_search_entry_name", "search_entry", ["name_key", "id"], unique=False)
    op.create_index("ix_search_entry_file_id", "search_entry", ["file_id"], unique=False)
    for statement in _SQLITE_INDEX if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL_INDEX:
        op.execute(statement)
    _index_elements()


def _index_elements() -> None:
    """Make what is there already be found by name, description and metadata."""
    connection = op.get_bind()
    uuid = sa.Uuid()
    element = sa.table("element", sa.column("id", uuid), sa.column("name"), sa.column("description"))
    metadata = sa.table(
        "metadata_entry", sa.column("element_id", uuid), sa.column("name"), sa.column("value"), sa.column("unit")
    )
    entry = sa.table(
        "search_entry",
        sa.column("subject_id", uuid),
        sa.column("element_id", uuid),
        *(sa.column(name) for name in ("name_key", "name", "metadata", "notes")),
    )
    for row in connection.execute(sa.select(element)).all():
        found = connection.execute(sa.select(metadata).where(metadata.c.element_id == row.id).order_by("name")).all()
        said = (text for one in found for text in (one.name, str(json.loads(one.value)), one.unit))
        connection.execute(
            sa.insert(entry).values(
                subject_id=row.id,
                element_id=row.id,
                name_key=_words(row.name)[:60],
                name=_words(row.name),
                metadata=_words(*said),
                notes=_words(row.description),
            )
        )


def _words(*texts: str) -> str:
    return "".join(f" {word[:60]}" for text in texts for word in re.findall(r"[^\W_]+", _folded(text)))
