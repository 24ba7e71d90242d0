"""Light descriptions of steps: parameters and outputs."""
