"""What the browser was not sent yet stays unsent, whatever it sends meanwhile."""

from types import SimpleNamespace

from bokeh.document import Document
from bokeh.models import Div, Row
from bokeh.protocol import Protocol
from panel.io.state import set_curdoc

from athena.portal.holding import held, keep_unsent, soon


def test_a_patch_of_the_browser_does_not_make_unsent_models_known() -> None:
    doc = Document()
    keep_unsent(doc)
    row, known = Row(), Div(text="known")
    doc.add_root(row)
    doc.add_root(known)
    doc.models.flush_synced()  # as when the browser pulled the document
    new = Div(text="new")
    with held(doc):
        row.children = [new]
        event = doc.callbacks._held_events[-1]
        doc.apply_json_patch(
            {"events": [{"kind": "ModelChanged", "model": {"id": known.id}, "attr": "text", "new": "typed"}]}
        )
        assert known.text == "typed"
        (sent,) = Protocol().create("PATCH-DOC", [event]).content["events"]
        assert sent["new"][0]["attributes"]["text"] == "new"  # the model itself, not only its name
    assert not doc.callbacks.hold_value


def test_what_a_component_says_is_answered_when_the_lock_is_held() -> None:
    changed: list[str] = []
    soon(lambda: changed.append("at once"))
    assert changed == ["at once"]
    doc = Document()
    doc._session_context = lambda: SimpleNamespace()  # a weak reference, as Bokeh keeps it
    with set_curdoc(doc):
        soon(lambda: changed.append(str(doc.callbacks.hold_value)))
        assert changed == ["at once"]
        (callback,) = doc.session_callbacks
        callback.callback()
    assert changed == ["at once", "combine"]
    assert not doc.callbacks.hold_value
