"""Steps: read, call the core, write, report."""
