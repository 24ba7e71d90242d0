"""Kinds of the custom messages between a widget and its Python half."""

GET = "get"
"""Browser → Python: ``{kind, id, path}`` asks for an API path."""
CANCEL = "cancel"
"""Browser → Python: ``{kind, id}``; the answer is no longer wanted."""
ANSWER = "answer"
"""Python → browser: ``{kind, id, status, content_type}`` with the body as the only buffer."""
