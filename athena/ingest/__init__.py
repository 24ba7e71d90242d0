"""Acquisition adapters, the watcher and the registrar."""
