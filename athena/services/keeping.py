"""Values that were dear to make and stay in memory, the latest ones, up to so many bytes."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, Protocol, TypeVar


class Sized(Protocol):
    """What says how much memory it takes."""

    @property
    def nbytes(self) -> int:
        """Memory it takes."""
        ...


T = TypeVar("T", bound=Sized)


class Kept(Generic[T]):
    """The latest values by their keys; each is made by one thread while others that want it wait."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = Lock()
        self._kept: OrderedDict[Hashable, T] = OrderedDict()
        self._making: dict[Hashable, Lock] = {}

    def get(self, key: Hashable, make: Callable[[], T], *, check: Callable[[], None]) -> T:
        """Value of a key, made where it is not there; what ``make`` raises is raised, and the next one tries again.

        ``check`` : raises where it is not wanted any more once it is its turn.
        """
        with self._lock:
            making = self._making.setdefault(key, Lock())
        with making:
            try:
                with self._lock:
                    found = self._kept.get(key)
                    if found is not None:
                        self._kept.move_to_end(key)
                        return found
                check()
                made = make()
                self.keep(key, made)
                return made
            finally:
                with self._lock:
                    self._making.pop(key, None)

    def keep(self, key: Hashable, value: T) -> None:
        """Keep a value, and forget the oldest ones beyond the limit; one value is kept whatever its size."""
        with self._lock:
            self._kept[key] = value
            self._kept.move_to_end(key)
            while len(self._kept) > 1 and sum(one.nbytes for one in self._kept.values()) > self._limit:
                self._kept.popitem(last=False)
