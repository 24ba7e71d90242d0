"""Notebook and portal widgets of Athena."""
