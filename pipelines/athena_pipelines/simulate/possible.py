"""Settings that can be, and a clear word on those that cannot."""

from collections.abc import Iterable, Mapping

from athena.errors import Invalid


def require_possible(
    settings: object, what: str, *, limits: Mapping[str, tuple[float, float]], ordered: Iterable[str]
) -> None:
    """Refuse settings that are out of their limits, or ranges whose ends are the wrong way round.

    Parameters
    ----------
    what : whose settings they are, for the message.
    limits : (smallest, largest) by name; each number of a tuple has to be within.
    ordered : names of ranges, smallest first.

    Raises
    ------
    Invalid : naming the setting and what it may be.
    """
    for name, (low, high) in limits.items():
        value = getattr(settings, name)
        values = value if isinstance(value, tuple) else (value,)
        if not values or not all(low <= one <= high for one in values):
            raise Invalid(f"The {what}'s {name} is {value}.", hint=f"Give {low:g} to {high:g}.")
    for name in ordered:
        first, last = getattr(settings, name)
        if first > last:
            raise Invalid(f"The {what}'s {name} runs from {first:g} to {last:g}.", hint="Smallest first.")
