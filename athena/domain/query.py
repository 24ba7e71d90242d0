"""The language of typed metadata queries: ``defocus > 1 um and microscope = 'Krios G4'`` (SE-04). Pure.

::

    query      = term { "or" term }
    term       = factor { "and" factor }
    factor     = "not" factor | "(" query ")" | comparison
    comparison = name ( "=" | "!=" | "<" | "<=" | ">" | ">=" ) value
               | name [ "not" ] "in" "(" value { "," value } ")"
               | name "contains" text
    name       = word | quoted            optionally  group "." name
    value      = number [ unit ] | text | date | "true" | "false"

An underscore in a word stands for a blank. Texts stand in single or double quotes; a quote in them is doubled.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from athena.domain.metadata import moment_of, name_key, text_key
from athena.domain.units import units_spelled
from athena.errors import Invalid

MAX_LENGTH = 2000
MAX_COMPARISONS = 50
MAX_DEPTH = 30
"""Limits of a query, so that it always is a statement that a database can run."""

Operator = Literal["=", "!=", "<", "<=", ">", ">=", "in", "contains"]


@dataclass(frozen=True)
class Number:
    """A number. ``bases``: what it is in the base unit of each quantity its unit may belong to; empty without unit."""

    value: float
    bases: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Text:
    """A text, as its key."""

    key: str


@dataclass(frozen=True)
class Truth:
    """True or false."""

    value: bool


@dataclass(frozen=True)
class Moments:
    """From a moment up to another one: a day is as long as a day; a moment has no length."""

    start: datetime
    end: datetime


Value = Number | Text | Truth | Moments


@dataclass(frozen=True)
class Comparison:
    """Whether an element has a metadatum of a name (of a group, if one is given) with such a value."""

    group: str
    name: str
    operator: Operator
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Not:
    """Whether it does not hold; also for elements without such a metadatum."""

    query: "Query"


@dataclass(frozen=True)
class And:
    """Whether all hold."""

    queries: tuple["Query", ...]


@dataclass(frozen=True)
class Or:
    """Whether any holds."""

    queries: tuple["Query", ...]


Query = Comparison | Not | And | Or

_TOKENS = re.compile(
    r"""(?P<blank>\s+)
      | (?P<date>\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:\d{2})?)?)(?![\w.])
      | (?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
      | (?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*")
      | (?P<operator>==|!=|<>|<=|>=|≤|≥|≠|=|<|>)
      | (?P<mark>[(),])
      | (?P<word>[^\s()<>=!,'"≤≥≠]+)""",
    re.VERBOSE,
)
_OPERATORS: dict[str, Operator] = {"==": "=", "<>": "!=", "≠": "!=", "≤": "<=", "≥": ">="}
_JOINTS = ("and", "or")


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int

    def says(self, *words: str) -> bool:
        return self.kind in ("word", "mark") and self.text.lower() in words


def parse_query(text: str) -> Query:
    """Read a query.

    Raises
    ------
    Invalid : it cannot be read; the message says where and what was expected.
    """
    if len(text) > MAX_LENGTH:
        raise Invalid(f"A condition has at most {MAX_LENGTH} characters.")
    return _Parser(text).parse()


class _Parser:
    """Recursive descent over the tokens."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [token for token in self._split() if token.kind != "blank"]
        self._next = 0
        self._comparisons = 0

    def parse(self) -> Query:
        found = self._either(0)
        if self._token.kind != "end":
            raise self._problem("“and”, “or” or the end was expected")
        return found

    def _split(self) -> Iterator[_Token]:
        at = 0
        while at < len(self._text):
            match = _TOKENS.match(self._text, at)
            if match is None:
                unclosed = self._text[at] in "'\""
                raise self._problem(
                    "this quote is never closed" if unclosed else "this character means nothing here", at=at
                )
            yield _Token(str(match.lastgroup), match[0], at)
            at = match.end()
        yield _Token("end", "", len(self._text))

    @property
    def _token(self) -> _Token:
        return self._tokens[self._next]

    def _take(self) -> _Token:
        token = self._token
        self._next += token.kind != "end"
        return token

    def _either(self, depth: int) -> Query:
        found = [self._all(depth)]
        while self._token.says("or"):
            self._take()
            found.append(self._all(depth))
        return found[0] if len(found) == 1 else Or(tuple(found))

    def _all(self, depth: int) -> Query:
        found = [self._factor(depth)]
        while self._token.says("and"):
            self._take()
            found.append(self._factor(depth))
        return found[0] if len(found) == 1 else And(tuple(found))

    def _factor(self, depth: int) -> Query:
        if depth > MAX_DEPTH:
            raise self._problem(f"more than {MAX_DEPTH} levels cannot be read")
        if self._token.says("not"):
            self._take()
            return Not(self._factor(depth + 1))
        if self._token.says("("):
            self._take()
            found = self._either(depth + 1)
            self._expect(")")
            return found
        return self._comparison()

    def _comparison(self) -> Query:
        self._comparisons += 1
        if self._comparisons > MAX_COMPARISONS:
            raise self._problem(f"more than {MAX_COMPARISONS} comparisons cannot be read")
        group, name = self._name()
        token = self._take()
        if token.kind == "operator":
            operator = _OPERATORS.get(token.text, token.text)
            return Comparison(group, name, operator, (self._value(operator),))  # type: ignore[arg-type]
        if token.says("not") and self._token.says("in"):
            self._take()
            return Not(Comparison(group, name, "in", self._values()))
        if token.says("in"):
            return Comparison(group, name, "in", self._values())
        if token.says("contains"):
            at = self._token.at
            value = self._value("contains")
            if not isinstance(value, Text):
                raise self._problem("a 'text' in quotes was expected", at=at)
            return Comparison(group, name, "contains", (value,))
        raise self._problem("=, !=, <, <=, >, >=, “in” or “contains” was expected", at=token.at)

    def _name(self) -> tuple[str, str]:
        token = self._take()
        if token.kind == "quoted":
            group, name = "", _unquoted(token.text)
            if self._token.kind == "word" and self._token.text.startswith("."):
                group, name = name, self._after_point()
        elif token.kind == "word" and not token.says(*_JOINTS, "in", "contains"):
            group, point, name = token.text.partition(".")
            if not point:
                group, name = "", token.text
            elif not name:
                group, name = group, self._quoted_name()
        else:
            raise self._problem("the name of a metadatum was expected", at=token.at)
        if not name_key(name):
            raise self._problem("the name of a metadatum was expected", at=token.at)
        return name_key(group), name_key(name)

    def _after_point(self) -> str:
        token = self._take()
        return token.text[1:] or self._quoted_name()

    def _quoted_name(self) -> str:
        if self._token.kind != "quoted":
            raise self._problem("the name of a metadatum was expected")
        return _unquoted(self._take().text)

    def _values(self) -> tuple[Value, ...]:
        self._expect("(")
        found = [self._value("in")]
        while self._token.says(","):
            self._take()
            found.append(self._value("in"))
        self._expect(")")
        return tuple(found)

    def _value(self, operator: str) -> Value:
        token = self._take()
        if token.kind == "quoted":
            return Text(text_key(_unquoted(token.text)))
        if token.kind == "number":
            return self._number(token)
        if token.kind == "date":
            return self._moments(token)
        if token.says("true", "false") and operator in ("=", "!=", "in"):
            return Truth(token.text.lower() == "true")
        raise self._problem("a number, a date, true, false or a 'text' in quotes was expected", at=token.at)

    def _number(self, token: _Token) -> Number:
        value = float(token.text)
        if abs(value) > 1e300:
            raise self._problem("the number is too large", at=token.at)
        if self._token.kind not in ("word", "quoted") or self._token.says(*_JOINTS):
            return Number(value)
        unit = self._take()
        meant = units_spelled(_unquoted(unit.text) if unit.kind == "quoted" else unit.text)
        if not meant:
            raise self._problem(f"“{unit.text}” is no unit", at=unit.at)
        return Number(value, tuple((quantity.key, one.to_base(value)) for quantity, one in meant))

    def _moments(self, token: _Token) -> Moments:
        try:
            start = moment_of(token.text)
            return Moments(start, start + timedelta(days=1) if len(token.text) == 10 else start)
        except (ValueError, OverflowError):
            raise self._problem("this is no date", at=token.at) from None

    def _expect(self, mark: str) -> None:
        if not self._token.says(mark):
            raise self._problem(f"“{mark}” was expected")
        self._take()

    def _problem(self, reason: str, *, at: int | None = None) -> Invalid:
        """What cannot be read, with the place in the text."""
        place = self._token.at if at is None else at
        pointed = f"{self._text[max(0, place - 30) : place]}▶{self._text[place : place + 30]}"
        return Invalid(f"The condition cannot be read at character {place + 1}: {reason}.", hint=f"Here: {pointed}")


def _unquoted(text: str) -> str:
    return text[1:-1].replace(text[0] * 2, text[0])
