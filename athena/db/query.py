"""Typed metadata queries as SQL (SE-04): ``athena.domain.query`` says what they mean."""

from sqlalchemy import ColumnElement, and_, false, func, not_, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from athena.db.elements import ElementRow, MetadataRow
from athena.domain.query import And, Comparison, Moments, Not, Number, Or, Query, Text, Truth, Value

TOLERANCE = 1e-9
"""Numbers this close to one another are equal: 1200 nm and 1.2 µm, whatever their doubles say."""


def has_metadata(query: Query, *, of_each: bool) -> ColumnElement[bool]:
    """Condition on ``ElementRow``: it has metadata such as the query asks for.

    ``of_each``: the metadata of each element in question are looked at, which is quick where something else has left
    few of them; otherwise all metadata that answer are found first.
    """
    match query:
        case Comparison():
            return _holds(query, of_each=of_each)
        case Not():
            return not_(has_metadata(query.query, of_each=of_each))
        case And():
            return and_(*(has_metadata(one, of_each=of_each) for one in query.queries))
        case Or():
            return or_(*(has_metadata(one, of_each=of_each) for one in query.queries))


def _holds(comparison: Comparison, *, of_each: bool) -> ColumnElement[bool]:
    # as an expression, so that SQLite does not take the index of names when the element is known
    name = MetadataRow.name_key.concat("") if of_each else MetadataRow.name_key
    wanted: list[ColumnElement[bool]] = [name == comparison.name]
    if comparison.group:
        wanted.append(func.lower(MetadataRow.group) == comparison.group)
    wanted.append(or_(*(_compared(comparison.operator, value) for value in comparison.values)))
    if of_each:
        # the offset keeps PostgreSQL from making a join of it, which would read all metadata of the name
        return select(MetadataRow.id).where(MetadataRow.element_id == ElementRow.id, *wanted).offset(0).exists()
    return ElementRow.id.in_(select(MetadataRow.element_id).where(*wanted))


def _compared(operator: str, value: Value) -> ColumnElement[bool]:
    match value:
        case Text():
            return _text(operator, value.key)
        case Truth():
            holds = MetadataRow.number == float(value.value)
            return and_(MetadataRow.type == "boolean", not_(holds) if operator == "!=" else holds)
        case Moments():
            return _moments(operator, value)
        case Number():
            if not value.bases:
                return and_(MetadataRow.type != "boolean", _number(operator, MetadataRow.number, value.value))
            by_quantity = (
                and_(MetadataRow.quantity == quantity, _number(operator, MetadataRow.base, base))
                for quantity, base in value.bases
            )
            return or_(*by_quantity)


def _number(operator: str, column: InstrumentedAttribute[float | None], value: float) -> ColumnElement[bool]:
    reach = abs(value) * TOLERANCE
    match operator:
        case "=" | "in":
            return column.between(value - reach, value + reach)
        case "!=":
            return or_(column < value - reach, column > value + reach)
        case "<":
            return column < value - reach
        case "<=":
            return column <= value + reach
        case ">":
            return column > value + reach
        case _:
            return column >= value - reach


def _text(operator: str, key: str) -> ColumnElement[bool]:
    column = MetadataRow.text_key
    match operator:
        case "contains":
            return column.contains(key, autoescape=True)
        case "=" | "in":
            return column == key
        case "!=":
            return column != key
        case "<":
            return column < key
        case "<=":
            return column <= key
        case ">":
            return column > key
        case ">=":
            return column >= key
    return false()


def _moments(operator: str, value: Moments) -> ColumnElement[bool]:
    column = MetadataRow.moment
    if value.start == value.end:
        inside, before, after = column == value.start, column < value.start, column > value.start
    else:
        inside = and_(column >= value.start, column < value.end)
        before, after = column < value.start, column >= value.end
    match operator:
        case "=" | "in":
            return inside
        case "!=":
            return or_(before, after)
        case "<":
            return before
        case "<=":
            return or_(before, inside)
        case ">":
            return after
        case _:
            return or_(inside, after)
