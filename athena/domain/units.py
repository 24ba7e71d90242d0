"""Physical quantities and their units: finding them by what people write, and converting (MD-03). Pure, without pint.

The catalogue (``quantities.json``) is made from pint's definitions by ``athena.domain.quantities``. A value counts in
the first unit of its quantity as ``value * factor + offset``, which is what databases compare.
"""

import json
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import isfinite

from athena.errors import Invalid

_MINUS = str.maketrans({"\u2212": "-", "^": "", "*": "·", "⋅": "·", "'": "′", '"': "″"})


@dataclass(frozen=True)
class Unit:
    """A unit of one quantity.

    Attributes
    ----------
    symbol, name : as people write and say it; the symbol is what is stored.
    factor, offset : base value = value * factor + offset.
    pint : expression that pint knows it by.
    aliases : other spellings.
    """

    symbol: str
    name: str
    factor: float
    offset: float
    pint: str
    aliases: tuple[str, ...] = ()

    def to_base(self, value: float) -> float:
        """Value in the quantity's first unit."""
        return value * self.factor + self.offset

    def from_base(self, value: float) -> float:
        """Value in this unit."""
        return (value - self.offset) / self.factor


@dataclass(frozen=True)
class Quantity:
    """A physical quantity; its first unit is the base.

    Attributes
    ----------
    key : what is stored, ``amount_of_substance``.
    label : as people name it, "Amount of substance".
    dimension : pint's dimensionality, by which a unit of unknown purpose finds its quantity.
    """

    key: str
    label: str
    dimension: str
    units: tuple[Unit, ...]

    @property
    def base(self) -> Unit:
        """The unit that values are compared in."""
        return self.units[0]

    def unit(self, text: str) -> Unit:
        """Unit by symbol, name or alias.

        Raises
        ------
        Invalid : the quantity has no such unit.
        """
        found = _spellings(self).get(spelled(text)) or _spellings(self).get(spelled(text).casefold())
        if found is None:
            known = ", ".join(unit.symbol for unit in self.units)
            raise Invalid(f"“{text}” is no unit of {self.label.lower()}.", hint=f"Its units: {known}.")
        return found


@cache
def catalogue() -> tuple[Quantity, ...]:
    """Every quantity; of those that share a unit, the one mostly meant comes first."""
    data = json.loads(files("athena.domain").joinpath("quantities.json").read_text(encoding="utf-8"))
    return tuple(
        Quantity(
            key=entry["key"],
            label=entry["label"],
            dimension=entry["dimension"],
            units=tuple(Unit(**{**unit, "aliases": tuple(unit["aliases"])}) for unit in entry["units"]),
        )
        for entry in data
    )


def get_quantity(key: str) -> Quantity:
    """Quantity by key or label.

    Raises
    ------
    Invalid : there is none.
    """
    found = _by_key().get(key_of(key))
    if found is None:
        raise Invalid(f"“{key}” is no physical quantity.", hint="GET /quantities lists them; search it by typing.")
    return found


def key_of(label: str) -> str:
    """Key of a label: "Amount of substance" is ``amount_of_substance``."""
    return "_".join(label.casefold().replace("-", " ").replace("_", " ").split())


def units_spelled(text: str) -> tuple[tuple[Quantity, Unit], ...]:
    """Every (quantity, unit) that a spelling may mean: "µm" is one of length, wavelength and more."""
    return _by_spelling().get(spelled(text)) or _by_spelling().get(spelled(text).casefold()) or ()


def convert(value: float, quantity: str, *, unit: str, to: str) -> float:
    """Value in another unit of its quantity; offsets of temperatures counted. Raises Invalid for unknown names."""
    found = get_quantity(quantity)
    source, target = found.unit(unit), found.unit(to)
    if source == target:
        return value
    result = target.from_base(source.to_base(value))
    if not isfinite(result):
        raise Invalid(f"{value} {unit} is too large to be told in {to}.")
    return float(f"{result:.13g}")  # 1.2 µm are 12000 Å, not 11999.999999999998


def search_quantities(text: str) -> tuple[Quantity, ...]:
    """Quantities of which the label, or a unit's name or symbol, has a word that begins so, for every typed word."""
    words = text.casefold().split()
    exact = {quantity.key for quantity, _ in units_spelled(text)} if text.strip() else set()
    return tuple(one for one in catalogue() if one.key in exact or all(_begins(one, word) for word in words))


def spelled(text: str) -> str:
    """One spelling of those that look alike: µ and μ, Å and Å, m², m^2 and m**2, e⁻ and e-."""
    folded = unicodedata.normalize("NFKC", text.strip().replace("**", "^")).translate(_MINUS)
    return "".join(folded.split())


def spellings(unit: Unit) -> set[str]:
    """Every way to write a unit: symbol, name, aliases, "u" for µ, and names without accents."""
    written = {unit.symbol, *unit.aliases, unit.name.casefold(), _plain(unit.name.casefold())}
    written |= {f"{unit.name.casefold()}s", _plain(f"{unit.name.casefold()}s")}
    found = {spelled(one) for one in written}
    return found | {one.replace("μ", "u") for one in found if "μ" in one}


def _plain(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def _begins(quantity: Quantity, word: str) -> bool:
    return any(part.startswith(word) for text in _texts(quantity) for part in text.split())


def _texts(quantity: Quantity) -> Iterable[str]:
    yield quantity.label.casefold()
    for unit in quantity.units:
        yield from (unit.name.casefold(), _plain(unit.name.casefold()), unit.symbol.casefold())


@cache
def _by_key() -> dict[str, Quantity]:
    return {quantity.key: quantity for quantity in catalogue()}


@cache
def _spellings(quantity: Quantity) -> dict[str, Unit]:
    found: dict[str, Unit] = {}
    for unit in quantity.units:
        found[spelled(unit.symbol)] = unit  # a symbol counts before another unit's alias
    for unit in quantity.units:
        for text in spellings(unit):
            found.setdefault(text, unit)
    return found


@cache
def _by_spelling() -> dict[str, tuple[tuple[Quantity, Unit], ...]]:
    found: dict[str, tuple[tuple[Quantity, Unit], ...]] = {}
    for quantity in catalogue():
        for text, unit in _spellings(quantity).items():
            found[text] = (*found.get(text, ()), (quantity, unit))
    return found
