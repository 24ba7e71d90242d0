"""How often passwords may be tried: sliding windows, pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil


@dataclass(frozen=True)
class Limit:
    """At most ``count`` failures within any ``window``."""

    count: int
    window: timedelta

    def wait_s(self, failures: Sequence[datetime], now: datetime) -> int:
        """Whole seconds until one more attempt is allowed, 0 if it is allowed now; failures in any order."""
        recent = sorted(time for time in failures if time > now - self.window)
        if len(recent) < self.count:
            return 0
        leaves = recent[-self.count] + self.window
        return max(1, ceil((leaves - now).total_seconds()))


PAIR_LIMIT = Limit(5, timedelta(minutes=5))
"""Of one user name from one address."""
PEER_LIMIT = Limit(50, timedelta(minutes=5))
"""Of all user names from one address; an institute may be one address to us."""
NAME_LIMIT = Limit(20, timedelta(minutes=5))
"""Of one user name from all addresses, but for those it has logged in from before: a stranger's guesses from elsewhere
must not keep a person out."""
KNOWN_PEER = timedelta(days=30)
"""How long an address counts as one the person has logged in from."""
LONGEST = max(limit.window for limit in (PAIR_LIMIT, PEER_LIMIT, NAME_LIMIT))
