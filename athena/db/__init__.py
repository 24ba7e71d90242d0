"""The catalogue: SQLAlchemy models and sessions."""
