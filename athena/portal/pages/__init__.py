"""Pages of the portal; each module reads what its place holds (in a thread) and shows it (on the loop)."""
