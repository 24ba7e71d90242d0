"""Parts of pages, each a Python class and a script of the same name."""
