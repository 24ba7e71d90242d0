"""Simulated microscope sessions with known truth."""
