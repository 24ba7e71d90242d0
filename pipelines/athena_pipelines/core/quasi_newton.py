"""A small minimiser: the general one takes longer to import than a CTF fit takes to run."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

SUFFICIENT = 1e-4
"""Part of the slope's promise that a step must keep (Armijo's condition)."""
FIRST_STEP = 0.3
"""Longest first step, in the units of x."""


def minimise(
    function: Callable[[Array], tuple[float, Array]], start: Array, *, iterations: int = 40, tolerance: float = 1e-5
) -> tuple[float, Array]:
    """Least value near a start and where it is, by BFGS with a backtracking line search.

    Parameters
    ----------
    function : gives value and gradient; ``start`` should be scaled so that all axes are alike.
    tolerance : largest gradient component at which to stop.

    Source: Nocedal & Wright 2006, Numerical Optimization, algorithm 6.1.
    """
    x = start.copy()
    value, gradient = function(x)
    inverse = np.eye(x.size) * (FIRST_STEP / max(float(np.linalg.norm(gradient)), 1e-30))
    fresh = True
    for _ in range(iterations):
        if np.abs(gradient).max() < tolerance:
            break
        direction = -inverse @ gradient
        slope = float(direction @ gradient)
        length = 1.0
        while True:
            moved = x + length * direction
            new_value, new_gradient = function(moved)
            if new_value <= value + SUFFICIENT * length * slope:
                break
            length *= 0.5
            if length < 1e-6:
                return value, x
        step, change = moved - x, new_gradient - gradient
        x, value, gradient = moved, new_value, new_gradient
        curvature = float(step @ change)
        if curvature <= 0:
            continue
        if fresh:
            inverse = np.eye(x.size) * (curvature / float(change @ change))
            fresh = False
        left = np.eye(x.size) - np.outer(step, change) / curvature
        inverse = left @ inverse @ left.T + np.outer(step, step) / curvature
    return value, x
