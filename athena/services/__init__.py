"""One use case a module; each begins with a guard."""
