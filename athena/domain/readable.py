"""Counts and times as people read them, the same on every face and in every message. Pure."""

THIN = "\u2009"


def count(number: int) -> str:
    """A count with thin spaces between thousands: ``12 480``; as ``count`` of ``units.ts`` writes it."""
    return f"{number:,}".replace(",", THIN)


def duration(seconds: float) -> str:
    """A time in the digits that matter: ``40 s``, ``48 min``, ``2 h``, ``2 h 05 min``, ``3 d 4 h``."""
    if round(seconds) < 60:
        return f"{seconds:.0f}{THIN}s"
    hours, minutes = divmod(round(seconds / 60), 60)
    if hours < 1:
        return f"{minutes}{THIN}min"
    if hours < 48:
        return f"{hours}{THIN}h {minutes:02}{THIN}min" if minutes else f"{hours}{THIN}h"
    days, hours = divmod(round(seconds / 3600), 24)
    return f"{days}{THIN}d {hours}{THIN}h" if hours else f"{days}{THIN}d"
