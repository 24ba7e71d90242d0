"""Steps: read, compute through ``core``, write the acquisition's own arrays, return a validated result."""


def warm_up() -> None:
    """Load the compiled kernels, or compile them where they are not cached yet; a worker calls it when it starts.

    Also keeps the numerical libraries to one thread: a worker is one core's, and there is one worker a core.
    """
    from athena_pipelines.steps.warming import exercise

    exercise()
