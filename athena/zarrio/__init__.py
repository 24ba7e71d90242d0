"""Zarr stores of a run: layout, writing, reading."""
