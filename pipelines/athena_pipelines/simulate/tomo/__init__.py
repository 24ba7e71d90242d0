"""Simulated Tomography 5 sessions: a slab of ice with molecules in it, seen from many sides."""
