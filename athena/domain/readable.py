"""Counts, sizes and times as people read them, the same on every face and in every message. Pure."""

THIN = "\u2009"
UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def count(number: int) -> str:
    """A count with thin spaces between thousands: ``12 480``; as ``count`` of ``units.ts`` writes it."""
    return f"{number:,}".replace(",", THIN)


def size(size_bytes: float) -> str:
    """Bytes in three digits: ``640 B``, ``1.23 GB``; as ``size`` of ``dom.js`` writes them."""
    value, unit = float(size_bytes), 0
    while value >= 999.5 and unit < len(UNITS) - 1:
        value, unit = value / 1000, unit + 1
    digits = 0 if unit == 0 or value >= 99.95 else 1 if value >= 9.995 else 2
    return f"{value:.{digits}f}{THIN}{UNITS[unit]}"


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
