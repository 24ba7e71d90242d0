"""The life of a job: which state follows which, and what is in the way of the rest (JB-01, JB-03, JB-04)."""

from enum import StrEnum
from types import MappingProxyType

from athena.contract.jobs import JobState
from athena.errors import Conflict

FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 600.0


class JobMove(StrEnum):
    """What can happen to a job."""

    TAKE = "take"
    FINISH = "finish"
    FAIL = "fail"
    POSTPONE = "postpone"
    CALL_OFF = "call off"
    CANCEL = "cancel"
    RETRY = "retry"
    REMOVE = "remove"


_P, _R, _F, _X, _C = JobState.PENDING, JobState.RUNNING, JobState.FINISHED, JobState.FAILED, JobState.CANCELLED

LIFE: MappingProxyType[tuple[JobState, JobMove], JobState | None] = MappingProxyType(
    {
        (_P, JobMove.TAKE): _R,
        (_R, JobMove.TAKE): _R,  # taken over from a runner that is gone
        (_R, JobMove.FINISH): _F,
        (_R, JobMove.FAIL): _X,
        (_R, JobMove.POSTPONE): _P,  # to be begun again by itself, a little later
        (_P, JobMove.CANCEL): _C,
        (_R, JobMove.CANCEL): _R,  # asked to end: whoever works it calls it off once it has tidied up
        (_R, JobMove.CALL_OFF): _C,
        (_X, JobMove.RETRY): _P,
        (_C, JobMove.RETRY): _P,
        (_F, JobMove.REMOVE): None,
        (_X, JobMove.REMOVE): None,
        (_C, JobMove.REMOVE): None,
    }
)
"""State after a move; None: the job is gone. What is not here cannot happen."""

OPEN = (JobState.PENDING, JobState.RUNNING)
ENDED = (JobState.FINISHED, JobState.FAILED, JobState.CANCELLED)


def can_move(state: JobState, move: JobMove) -> bool:
    """Whether the move is possible from this state."""
    return (state, move) in LIFE


def after(state: JobState, move: JobMove) -> JobState | None:
    """State after a move; Conflict where it is not possible."""
    if not can_move(state, move):
        raise Conflict(f"A job that is {state.value} cannot be asked to {move.value}.")
    return LIFE[state, move]


def pause_seconds(attempts: int) -> float:
    """Pause before a job that was begun ``attempts`` times is begun once more by itself, doubling each time."""
    return min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(max(0, attempts - 1), 20))
