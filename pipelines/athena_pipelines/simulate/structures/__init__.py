"""Atomic models that come with the simulator, and the script that reduced them."""
