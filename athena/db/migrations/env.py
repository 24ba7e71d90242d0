"""Alembic environment: always handed an open connection by ``Database.migrate``."""

from alembic import context

from athena.db import engine  # noqa: F401 - it has every model
from athena.db.base import Base
from athena.db.search import leave_out_search

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=True,
    compare_type=True,
    include_name=leave_out_search,
)
with context.begin_transaction():
    context.run_migrations()
