"""Readers and writers of foreign files; pure."""
