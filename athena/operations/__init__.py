"""Care of an instance by whoever runs the machine: backup, restore, doctor. Beside the API, not through it."""
