"""In which order the angles of a tilt series are taken."""

from typing import Literal

Scheme = Literal["dose-symmetric", "bidirectional", "unidirectional"]


def tilt_angles(
    scheme: Scheme, angles_deg: tuple[float, float], *, step_deg: float, start_deg: float
) -> tuple[float, ...]:
    """Nominal angles in the order in which they are taken, degrees.

    All of ``start + k · step`` within the range. Dose-symmetric: one to the right of the start, then two to each side
    in turn (0, 3, −3, −6, 6, 9, −9, …; Hagen, Wan & Briggs 2017, J. Struct. Biol. 197:191); where one side has come to
    its end, the rest of the other. Bidirectional: from the start upwards, then from there downwards. Unidirectional:
    from the lowest to the highest.
    """
    low, high = angles_deg
    # ends such as 60° are whole numbers of steps, whatever the rounding
    up = [start_deg + step_deg * k for k in range(1, int((high - start_deg) / step_deg + 1e-6) + 1)]
    down = [start_deg - step_deg * k for k in range(1, int((start_deg - low) / step_deg + 1e-6) + 1)]
    match scheme:
        case "bidirectional":
            order = [start_deg, *up, *down]
        case "unidirectional":
            order = [*reversed(down), start_deg, *up]
        case "dose-symmetric":
            order = [start_deg, *up[:1]]
            right, left = 1, 0
            while right < len(up) or left < len(down):
                order += down[left : left + 2]
                order += up[right : right + 2]
                right, left = right + 2, left + 2
    return tuple(round(angle, 4) + 0.0 for angle in order)
