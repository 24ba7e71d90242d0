"""How a job's function says that it could not do all of it."""


class JobFailed(Exception):
    """A job's function could not do all of it.

    Parameters
    ----------
    message : the reason, in words.
    item : what it failed on first.
    transient : it may go better in a while.
    """

    def __init__(self, message: str, *, item: str, transient: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.item = item
        self.transient = transient


class ItemFailures:
    """Items that a job could not do, so that one bad file does not keep the others back."""

    SHOWN = 3

    def __init__(self) -> None:
        self._reasons: dict[str, str] = {}

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._reasons)

    @property
    def first(self) -> str:
        """The first of them; empty without any."""
        return next(iter(self._reasons), "")

    def add(self, item: str, reason: str) -> None:
        """Note a failure."""
        self._reasons[item] = reason

    def discard(self, item: str) -> None:
        """It was done after all."""
        self._reasons.pop(item, None)

    def words(self, what: str) -> str:
        """All of it in a few sentences."""
        told = [f"{item}: {reason}" for item, reason in list(self._reasons.items())[: self.SHOWN]]
        more = f" … and {self.count - self.SHOWN} more." if self.count > self.SHOWN else ""
        return f"{self.count} {what}. {' '.join(told)}{more}"
