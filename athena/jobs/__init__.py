"""The queue, the planner, the executors and the collector."""
