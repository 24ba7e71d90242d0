"""Alembic environment: always handed an open connection by ``Database.migrate``."""

from alembic import context

from athena.db import acquisitions, elements, events, jobs, people, storages  # noqa: F401 - models register themselves
from athena.db.base import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
