"""The tabs of a run's page, a class each."""
