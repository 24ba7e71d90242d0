"""The vocabulary all else shares: frozen wire models, no input or output."""
