"""Search over all that the caller may see (SE-01, SE-02, SE-04), and rebuilding its index (SE-03).

At most ``MAX_RANKED`` hits are ranked; where there are more the page says so. Names come first, then all else.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, delete, func, select, true
from sqlalchemy.orm import Session

from athena.contract.elements import State, Status
from athena.contract.people import Principal
from athena.contract.search import SearchHit, SearchIn, SearchKind, SearchPage
from athena.db.elements import ElementRow, FileRow
from athena.db.engine import Database
from athena.db.people import UserRow
from athena.db.query import has_metadata
from athena.db.search import ReindexRow, SearchEntryRow, begins_with, contains_words, index_elements, matches_words
from athena.db.visibility import visible_sets, visible_with_roles
from athena.domain.query import parse_query
from athena.domain.words import name_rank, typed_words
from athena.errors import Invalid
from athena.services.elements import visible_rows
from athena.services.placed import place_elements

MAX_RANKED = 1000
"""Hits that are found and ranked; counts are capped here."""
MAX_PAGE = 200
READ_THROUGH = 20_000
"""Up to so many visible elements are read one by one; beyond, the index of words leads."""
SETS_NAMED = 1000
"""Permission sets that a query names one by one."""
BATCH = 500
"""Elements that one transaction of a reindex writes: others wait for it at most some tenths of a second."""


@dataclass(frozen=True)
class Search:
    """What is looked for.

    Attributes
    ----------
    text : words as typed; each must begin a word of the thing. Empty: everything the filters leave.
    within : where the words are looked for.
    kinds, statuses, owner, since, until : filters; empty or None filters nothing. Times are of the last change;
        ``until`` is not included.
    where : a typed metadata query, see ``athena.domain.query``.
    """

    text: str = ""
    within: frozenset[SearchIn] = field(default_factory=lambda: frozenset(SearchIn))
    kinds: frozenset[SearchKind] = frozenset()
    statuses: frozenset[Status] = frozenset()
    owner: str = ""
    since: datetime | None = None
    until: datetime | None = None
    where: str = ""


def search(session: Session, principal: Principal, wanted: Search, *, offset: int = 0, limit: int = 50) -> SearchPage:
    """Find elements and files that the caller may see, the best first.

    Raises
    ------
    Invalid : the metadata query cannot be read (the message points at the place), or the page is out of range.
    """
    if offset < 0 or not 1 <= limit <= MAX_PAGE:
        raise Invalid(f"A page starts at 0 or later and has 1 to {MAX_PAGE} hits.")
    words = typed_words(wanted.text)
    if wanted.text.strip() and not words:
        return SearchPage(hits=(), total=0, more=False)
    found = _candidates(session, principal, words, wanted)
    ranked = sorted(found, key=lambda row: (*name_rank(words, row.name), -row.id))[:MAX_RANKED]
    return SearchPage(
        hits=_hits(session, principal, ranked[offset : offset + limit]),
        total=len(ranked),
        more=len(found) > MAX_RANKED,
    )


def reindex(
    database: Database,
    *,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    stop: Callable[[], bool] = lambda: False,
) -> bool:
    """Rebuild the search index from the catalogue, while the platform goes on; False when stopped before its end.

    It goes through the elements by id in small transactions and notes where it is, so that a later call resumes after
    a stop or a crash. What changes meanwhile is indexed by its own transaction. For Athena's own jobs: no principal,
    no guard.

    Parameters
    ----------
    progress : called with (elements done, elements in all) after each batch.
    stop : asked before each batch.
    """
    with database.session(read_only=True) as session:
        total = session.scalar(select(func.count()).select_from(ElementRow)) or 0
    while not stop():
        with database.session() as session:
            state = session.get(ReindexRow, 1, with_for_update=True)
            if state is None:
                state = ReindexRow(id=1, position=None, done=0)
                session.add(state)
            query = select(ElementRow.id).order_by(ElementRow.id).limit(BATCH)
            if state.position is not None:
                query = query.where(ElementRow.id > state.position)
            batch = list(session.scalars(query))
            if not batch:
                session.execute(delete(ReindexRow))
                progress(total, total)
                return True
            files = session.scalars(
                select(FileRow.id).where(FileRow.element_id.in_(batch), FileRow.acquisition_index.is_(None))
            ).all()
            index_elements(session.connection(), batch, files=files)
            state.position = batch[-1]
            state.done += len(batch)
            done = state.done
        progress(min(done, total), max(done, total))
    return False


def _filters(wanted: Search, *, of_each: bool) -> list[ColumnElement[bool]]:
    """Conditions on ``ElementRow`` and ``SearchEntryRow``; ``of_each`` as in ``has_metadata``."""
    conditions: list[ColumnElement[bool]] = [ElementRow.state != State.DELETING.value]
    if wanted.kinds:
        of_element = [kind.value for kind in wanted.kinds if kind is not SearchKind.FILE]
        kind = ElementRow.kind.in_(of_element) & _is_element()
        conditions.append(kind | ~_is_element() if SearchKind.FILE in wanted.kinds else kind)
    if wanted.statuses:
        conditions.append(ElementRow.status.in_([status.value for status in wanted.statuses]))
    if wanted.owner:
        conditions.append(ElementRow.creator_id.in_(select(UserRow.id).where(UserRow.username == wanted.owner)))
    if wanted.since is not None:
        conditions.append(ElementRow.updated >= wanted.since)
    if wanted.until is not None:
        conditions.append(ElementRow.updated < wanted.until)
    if wanted.where.strip():
        conditions.append(has_metadata(parse_query(wanted.where), of_each=of_each))
    return conditions


def _candidates(
    session: Session,
    principal: Principal,
    words: Sequence[str],
    wanted: Search,
) -> list[Row[Any]]:
    """Up to one more than can be ranked, names before the rest.

    A common word is in so many entries that going through them all for the few a user may see takes too long; and
    somebody who sees nearly everything has too much to read through. So the smaller end is taken first.
    """
    seen = _seen(session, principal)
    chosen = select(SearchEntryRow.id, SearchEntryRow.name, SearchEntryRow.element_id, SearchEntryRow.file_id)
    few = not principal.is_admin and _sees_few(session, seen)
    filters = _filters(wanted, of_each=few or bool(words))
    if few or not words:
        query = chosen.join(ElementRow, ElementRow.id == SearchEntryRow.element_id).where(seen, *filters)
        query = query.where(*contains_words(words, wanted.within))
        by_name = [*_names_first(words, wanted), func.length(SearchEntryRow.name)] if words else []
        return _take(session, query.order_by(*by_name, SearchEntryRow.id.desc()))
    found: dict[int, Row[Any]] = {}
    if SearchIn.NAME in wanted.within:
        query = chosen.join(ElementRow, ElementRow.id == SearchEntryRow.element_id).where(seen, *filters)
        query = query.where(begins_with(words)).order_by(SearchEntryRow.name_key, SearchEntryRow.id)
        found = {row.id: row for row in _take(session, query)}
    for fields in _passes(wanted.within):
        if len(found) > MAX_RANKED:
            break
        fts, matches, entry_id = matches_words(session, words, fields)
        query = (
            chosen.select_from(fts)
            .join(SearchEntryRow, SearchEntryRow.id == entry_id)
            .join(ElementRow, ElementRow.id == SearchEntryRow.element_id)
            .where(matches, seen, *filters)
        )
        found |= {row.id: row for row in _take(session, query.order_by(entry_id.desc()))}
    return list(found.values())


def _passes(within: frozenset[SearchIn]) -> list[frozenset[SearchIn]]:
    """Fields to look in: names alone, then all."""
    names = frozenset({SearchIn.NAME})
    return [names, within] if names < within else [within]


def _names_first(words: Sequence[str], wanted: Search) -> list[ColumnElement[bool]]:
    if SearchIn.NAME not in wanted.within or len(wanted.within) == 1:
        return []
    named: ColumnElement[bool] = true()
    for condition in contains_words(words, [SearchIn.NAME]):
        named = named & condition
    return [named.desc()]


def _take(session: Session, query: Select[*tuple[Any, ...]]) -> list[Row[Any]]:
    return list(session.execute(query.limit(MAX_RANKED + 1)).all())


def _is_element() -> ColumnElement[bool]:
    """Condition on ``SearchEntryRow``: it is an element's own. The index of ``file_id`` would lead to all of them."""
    return SearchEntryRow.subject_id == SearchEntryRow.element_id


def _seen(session: Session, principal: Principal) -> ColumnElement[bool]:
    """Condition on ``ElementRow``: the caller may see it. By set, since elements by the thousand share few of them."""
    if principal.is_admin:
        return true()
    sets = visible_sets(principal)
    # found once: each of the queries of a search would find them again
    known = session.scalars(sets.limit(SETS_NAMED + 1)).all()
    return ElementRow.permission_set_id.in_(known if len(known) <= SETS_NAMED else sets)


def _sees_few(session: Session, seen: ColumnElement[bool]) -> bool:
    some = select(ElementRow.permission_set_id).where(seen).limit(READ_THROUGH + 1).subquery()
    return (session.scalar(select(func.count()).select_from(some)) or 0) <= READ_THROUGH


def _hits(session: Session, principal: Principal, rows: Sequence[Row[Any]]) -> tuple[SearchHit, ...]:
    ids = {row.element_id for row in rows}
    page = visible_rows(session, principal, visible_with_roles(principal).where(ElementRow.id.in_(ids)))
    placed = {one.element.id: one for one in place_elements(session, principal, page)}
    names: dict[UUID, str] = dict(
        session.execute(
            select(FileRow.id, FileRow.name).where(FileRow.id.in_([row.file_id for row in rows if row.file_id]))
        ).all()
    )
    return tuple(
        SearchHit(
            element=placed[row.element_id].element,
            breadcrumb=placed[row.element_id].breadcrumb,
            file=names[row.file_id] if row.file_id else "",
        )
        for row in rows
        # it may have gone since it was found
        if row.element_id in placed and (row.file_id is None or row.file_id in names)
    )
