"""Changes of a document that reach the browser whole and in order."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import panel as pn
from bokeh.document import Document


def keep_unsent(doc: Document) -> None:
    """Let a document remember which of its models the browser has not been sent, whatever the browser sends meanwhile.

    Bokeh (3.9) takes each patch from a browser as proof that the browser knows all models of the document, also those
    that wait to be sent. On a busy machine the next patch then only names them, the browser drops it ("reference isn't
    known"), and the page never fills.
    """
    apply, models = doc.apply_json_patch, doc.models

    def apply_and_remember(*arguments: Any, **options: Any) -> None:
        unsent = set(models._new_models)
        apply(*arguments, **options)
        models._new_models |= unsent & set(models)

    doc.apply_json_patch = apply_and_remember


@contextmanager
def held(doc: Document | None) -> Iterator[None]:
    """Collect what changes on the document's loop, and send it at the end.

    It is Bokeh that sends it, as everything else of the document; Panel's ``hold`` writes to the sockets past its
    queue.
    """
    if doc is None or doc.callbacks.hold_value:
        yield
        return
    doc.hold("combine")
    try:
        yield
    finally:
        doc.unhold()


def soon(change: Callable[[], None]) -> None:
    """Make a change on the loop of the present document, when its lock is held; at once where there is no session.

    Panel calls what hears a component's messages without that lock. What is changed there is lost when another
    callback of the session has just ended ("_pending_writes should be non-None").
    """
    doc = pn.state.curdoc
    if doc is None or doc.session_context is None:
        with held(doc):
            change()
        return

    def on_loop() -> None:
        with held(doc):
            change()

    doc.add_next_tick_callback(on_loop)
