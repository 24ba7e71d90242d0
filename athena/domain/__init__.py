"""The rules of the workspace; pure."""
