"""Running a user's function on results apart from everything else: a process of its own that may do next to nothing."""
