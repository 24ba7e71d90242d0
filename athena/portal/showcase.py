"""Every component in its states on one page, ``/components``: only in development (``ATHENA_DEVELOPMENT=1``).

The examples here are for whoever draws components; nothing of them reaches any other page.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import panel as pn
import panel_material_ui as pmui

from athena.portal import components, guide
from athena.portal.components.breadcrumb import Breadcrumb
from athena.portal.components.browser import Browser
from athena.portal.components.dashboard_board import DashboardBoard
from athena.portal.components.element_list import ElementList
from athena.portal.components.empty_state import EmptyState
from athena.portal.components.error_panel import ErrorPanel
from athena.portal.components.explorer import Explorer
from athena.portal.components.facts import Facts
from athena.portal.components.file_list import FileList
from athena.portal.components.file_viewer import FileViewer
from athena.portal.components.guide_board import GuideBoard
from athena.portal.components.health_board import HealthBoard
from athena.portal.components.job_bell import JobBell
from athena.portal.components.job_board import JobBoard
from athena.portal.components.job_filters import JobFilters
from athena.portal.components.licence_board import LicenceBoard
from athena.portal.components.live_mark import LiveMark
from athena.portal.components.metadata_editor import MetadataEditor
from athena.portal.components.micrograph_header import MicrographHeader
from athena.portal.components.note_list import NoteList
from athena.portal.components.panel_head import WIDTHS, PanelHead
from athena.portal.components.plugin_table import PluginTable
from athena.portal.components.recipe_button import RecipeButton
from athena.portal.components.report_page import ReportPage
from athena.portal.components.run_header import RunHeader
from athena.portal.components.sample_board import SampleBoard
from athena.portal.components.sample_list import SampleList
from athena.portal.components.script import Script
from athena.portal.components.search_board import SearchBoard
from athena.portal.components.sharing_editor import SharingEditor
from athena.portal.components.shell_dialog import ShellDialog
from athena.portal.components.side_tabs import SideTabs
from athena.portal.components.storage_board import StorageBoard
from athena.portal.components.title_bar import TitleBar
from athena.portal.components.token_board import TokenBoard
from athena.portal.components.tool_bar import ToolBar
from athena.portal.components.upload_tray import UploadTray
from athena.portal.components.users_board import UsersBoard
from athena.portal.components.widget_frame import WidgetFrame
from athena.portal.showcase_runs import run_examples
from athena.portal.theme import THEME_COOKIE, Scheme, material_theme, page_css
from athena.portal.tools import TOOLS

WHEN = "2024-05-17T09:00:00+00:00"
ID = "00000000-0000-0000-0000-000000000001"
STATUSES = ("not_started", "in_progress", "completed", "suspended", "warning", "error")
TABS = [{"name": name, "label": name.title(), "search": "?", "chosen": name == "one"} for name in ("one", "two")]
CRUMBS = [
    {"kind": "Folder", "name": "Apoferritin", "search": "?"},
    {"kind": "Workflow", "name": "SPA 1", "search": "?"},
]
STEPS = [{"name": status.replace("_", " "), "status": status} for status in STATUSES]
PROBLEM = "There is a “Grid 3” here already. Use another name."
REFUSED = {"problem": PROBLEM}


def _item(name: str, **more: Any) -> dict[str, Any]:
    """An element as components take it."""
    made = {"id": ID, "state": "active", "actions": ["rename", "link", "delete"], "kind": "workflow", "type": "SPA"}
    made |= {"name": name, "search": "?", "status": "in_progress", "description": "", "updated": WHEN}
    return made | {"creator": "alice", "children": 3, "steps": STEPS, "file": "", "way": CRUMBS} | more


def _job(state: str, **more: Any) -> dict[str, Any]:
    job = {
        "id": ID,
        "label": "Export",
        "cancelling": False,
        "element_name": "Grid 3",
        "done": 0,
        "total": 0,
        "unit": "",
    }
    job |= {"message": "", "item": "", "initiator": "alice", "created": WHEN, "started": WHEN, "finished": None}
    job |= {"search": "?", "actions": []} | more
    return {"state": state, "label": state.title(), "jobs": [job]}


def _storage(name: str, **more: Any) -> dict[str, Any]:
    made = {
        "id": ID,
        "name": name,
        "role": "primary",
        "chosen": False,
        "state": "stable",
        "message": "",
        "checked": WHEN,
    }
    made |= {"used": 12_000_000_000, "total": 271_000_000_000, "free": 70_000_000_000, "quota": None, "files": 1234}
    return made | {"url": "file:///data", "options": {}, "secrets": []} | more


def _account(name: str, *roles: str, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": ID,
        "username": name,
        "display_name": name.title(),
        "roles": list(roles),
        "created": WHEN,
    }
    made |= {"email": f"{name}@example.org", "first_name": "", "last_name": "", "source": "local", "active": True}
    return made | {"licensed": True, "last_seen": WHEN, "builtin": False} | more


def _service(state: str, **more: Any) -> dict[str, Any]:
    made = {"kind": "runner", "name": f"runner that is {state}", "state": state, "version": "1.0", "message": ""}
    return made | {"host": "", "pid": 1, "started": WHEN, "seen": WHEN, "workers": []} | more


def _grant(name: str, role: str) -> dict[str, Any]:
    return {"grantee": {"kind": "user", "id": ID, "name": name, "label": name.title()}, "role": role}


STORAGES = [
    _storage("stable", chosen=True),
    _storage("nearly full", free=9_000_000_000, role="acquisition"),
    _storage("down", state="down", message="No such folder.", role="export", checked=""),
    _storage("without bound", total=None, free=None, role="archive", url="s3://bucket/athena", secrets=["access_key"]),
]
QUEUE = {"jobs_waiting": 2, "jobs_running": 1, "oldest_waiting": WHEN, "movies_waiting": 0, "movies_processing": 12}
FEATURE = {"feature": "platform", "seats": 10, "used": 3, "expires": WHEN, "valid": True, "message": ""}
TOKEN = {"id": ID, "name": "Nightly export", "scope": "read", "start": "athena_ab12", "created": WHEN, "expires": WHEN}
FILE = {
    "id": ID,
    "name": "grid.csv",
    "size": 12345,
    "kind": "Table",
    "viewer": "table",
    "created": WHEN,
    "creator": "bob",
}
ENTRY = {
    "group": "Custom",
    "name": "Ice thickness",
    "type": "double",
    "value": 32.5,
    "quantity": "length",
    "unit": "nm",
}
NOTE = {"id": ID, "author": "alice", "text": "Thin ice", "html": "<p>Thin <strong>ice</strong></p>", "links": []}
PERMISSIONS = {
    "element_id": ID,
    "inherits": False,
    "public": None,
    "grants": [_grant("alice", "owner"), _grant("bob", "viewer")],
    "my_role": "owner",
    "may_edit": True,
    "source_label": "Folder Apoferritin",
    "source_search": "?",
}


def _nothing(_asked: Any) -> None:
    """What is asked on this page leads to nothing."""


def _search(**params: Any) -> SearchBoard:
    """A search board; its parameter ``asked`` has the name of the callback it is made with."""
    board = SearchBoard(_nothing)
    board.param.update(**params)
    return board


def drawn() -> set[type[Script]]:
    """Every component there is, without those that only others are made from."""
    for module in pkgutil.iter_modules(components.__path__):
        importlib.import_module(f"{components.__name__}.{module.name}")
    found: set[type[Script]] = set()
    waiting: list[type[Script]] = [Script]
    while waiting:
        for kind in waiting.pop().__subclasses__():
            waiting.append(kind)
            if kind.__module__.startswith(components.__name__) and not kind.__subclasses__():
                found.add(kind)
    return found


def examples() -> Iterator[tuple[str, Any]]:
    """Every component in each of its states: what the state is, and the component."""
    yield from run_examples(_nothing)
    yield "a way", Breadcrumb(crumbs=CRUMBS)
    yield "opened lately", DashboardBoard(workflows=[_item("SPA 1")], folders=[], storages=STORAGES, version="1.0")
    yield "nothing yet", DashboardBoard(version="1.0")
    elements = [_item(status, status=status) for status in STATUSES]
    elements += [_item("archived", state="archived"), _item("being deleted", state="deleting", actions=[])]
    yield "every status", ElementList(_nothing, items=elements)
    yield (
        "ordered",
        ElementList(_nothing, items=[one | {"position": n} for n, one in enumerate(elements[:3])], ordered=True),
    )
    yield "waiting", ElementList(_nothing, waiting=True)
    yield "empty", ElementList(_nothing, empty="No folder yet. Add folder makes the first.")
    yield "with a command", EmptyState(sentence="No movie yet.", command="athena watch /data/session")
    yield "plain", EmptyState(sentence="Nothing is known yet.")
    yield "error", ErrorPanel(title="This did not work", message=PROBLEM, hint="Try again.")
    yield "waiting", Explorer(_nothing, height=200)
    yield "facts", Facts(facts=[{"group": "Optics", "name": "Voltage", "value": 300, "unit": "kV", "type": "double"}])
    yield "empty", Facts()
    listing = {"key": "", "dir": "", "sort": "name", "descending": False, "files": [FILE], "total": 1, "bytes": 12345}
    listing["folders"] = [{"name": "raw", "count": 3, "size": 1_000_000}]
    yield "files", FileList(_nothing, element=ID, element_name="Grid 3", may_write=True, listing=listing, base="?")
    yield (
        "refused",
        FileList(_nothing, element=ID, listing=listing | {"folders": [], "files": [], "total": 0}, **REFUSED),
    )
    table = {"name": "", "columns": ["x", "y"], "rows": [["1", "2"], ["3", "4"]]}
    opened = FILE | {"folder": "", "sha256": "0" * 64, "storage": "Primary"}
    yield "a table", FileViewer(file=opened, back="?", tables=[table], cut=True, height=420)
    yield "not shown", FileViewer(file=opened | {"viewer": "none"}, back="?", problem="It cannot be shown.", height=260)
    pages = [{"title": one.title, "search": "?", "here": False} for one in guide.pages()[:4]]
    yield "a page", GuideBoard(_nothing, pages=pages, html=guide.pages()[-1].html)
    hit = {"heading": "Export", "page": "Jobs", "search": "?", "excerpt": "An export copies what is chosen."}
    yield "found", GuideBoard(_nothing, pages=pages, text="export", found=[hit])
    yield "found nothing", GuideBoard(_nothing, pages=pages, text="xyzzy")
    worker = {"name": "worker 1", "threads": 2, "memory_bytes": 4_000_000_000, "tasks": 3}
    services = [_service("stable", workers=[worker]), _service("waiting", message="No worker is there yet.")]
    services.append(_service("down", message="Silent for 40 s.", version=""))
    yield "every state", HealthBoard(_nothing, health={"services": services, "queue": QUEUE, "time": WHEN})
    running = _job("running", done=3, total=12, unit="files", actions=["cancel"])
    failed = _job("failed", message="The storage is full.", item="movie 12", actions=["retry", "remove"], finished=WHEN)
    private = _job("pending", element_name="Private entity", search="")
    ended = [_job("finished", actions=["remove"], finished=WHEN), _job("cancelled", finished=WHEN)]
    yield "every state", JobBoard(_nothing, groups=[running, private, failed, *ended])
    yield "no job", JobBoard(_nothing)
    badge = {"count": 3, "failed": True, "hint": "1 running, 1 waiting, 1 failed"}
    yield "some failed", JobBell(_nothing, badge=badge, groups=[running, private, failed])
    yield "nothing runs", JobBell(_nothing, badge={"count": 0, "failed": False, "hint": "none running"})
    choices = {"state": [("failed", "Failed")], "kind": [("export", "Export")], "owner": [("alice", "alice")]}
    yield "some chosen", JobFilters(_nothing, choices=choices, chosen={"state": "failed"}, shown=1, total=12)
    yield "none chosen", JobFilters(_nothing, choices=choices)
    licence: dict[str, Any] = {"platform_id": ID, "required": True, "message": "", "licences": []}
    licence["features"] = [FEATURE, FEATURE | {"feature": "tomo", "valid": False, "message": "Expired.", "seats": None}]
    licence["licences"] = [
        {"licence": None, "key": "abc", "installed": WHEN, "installed_by": "alice", "problem": "Void."}
    ]
    yield "licensed", LicenceBoard(_nothing, licence=licence, said="The key is accepted.")
    yield "no key", LicenceBoard(_nothing, licence=licence | {"features": [], "licences": [], "required": False})
    for link in ("wait", "up", "down"):
        yield link, LiveMark(link=link)
    yield "entries", MetadataEditor(_nothing, entries=[ENTRY], may_write=True, waiting=False)
    yield "to be read", MetadataEditor(_nothing, entries=[ENTRY | {"group": "Optics"}], waiting=False)
    yield "waiting", MetadataEditor(_nothing)
    figures = [{"label": "Defocus", "value": "1.42", "unit": "µm"}]
    header: dict[str, Any] = {
        "title": "FoilHole 0412",
        "back": "?",
        "where": "3 of 12",
        "previous": "?",
        "following": "?",
    }
    yield "completed", MicrographHeader(state="completed", figures=figures, **header)
    yield (
        "error",
        MicrographHeader(
            state="error",
            error="The movie ends early.",
            warnings=[{"name": "Drift", "text": "Out of range."}],
            **header,
        ),
    )
    note = NOTE | {"created": WHEN, "updated": WHEN, "editable": True}
    yield "notes", NoteList(_nothing, notes=[note], may_write=True, element=ID, waiting=False)
    yield "none", NoteList(_nothing, element=ID, waiting=False)
    for width in WIDTHS:
        yield width, PanelHead(tabs=TABS, width_name=width)
    plugin = {"type": "acquisition", "name": "epu", "distribution": "athena", "version": "1.0", "target": "a.b:C"}
    yield "plugins", PluginTable(plugins=[plugin])
    yield "none", PluginTable()
    yield "a recipe", RecipeButton(code="import athena\n\na = athena.connect()\na")
    yield "waiting", ReportPage(_nothing)
    source: dict[str, Any] = {
        "state": "watching",
        "path": "/data/session",
        "session": "session",
        "message": "3 movies found.",
    }
    source |= {"problems": ["movie 3 ends early"], "last_scan": WHEN, "quiet": "40\u2009s"}
    counts = {"total": 12, "completed": 8, "processing": 2, "registered": 1, "error": 1, "awaiting_movie": 1}
    run: dict[str, Any] = {"title": "Grid 3", "kind": "EPU run", "tabs": TABS, "item": _item("Grid 3")}
    for status in STATUSES:
        yield status, RunHeader(_nothing, status=status, counts=counts, source=source, **run)
    yield "refused", RunHeader(_nothing, status="not_started", **run, **REFUSED)
    sample: dict[str, Any] = {
        "id": ID,
        "name": "Apoferritin 12",
        "type": "Grid",
        "description": "Mouse, 4 mg/ml.",
        "barcode": "A-17",
    }
    sample |= {"cassette": "C3", "slot": 0, "creator": "alice", "created": WHEN, "updated": WHEN, "linked": 2}
    sample |= {"editable": True, "mine": True, "search": "?"}
    yield "samples", SampleBoard(_nothing, samples=[sample, sample | {"slot": None, "barcode": ""}], total=205)
    yield "a sample", SampleBoard(_nothing, sample=sample, products=[_item("Grid 3", kind="dataset")])
    yield "none", SampleBoard(_nothing)
    linked = [sample | {"above": False}, sample | {"name": "Above", "above": True}]
    yield "linked", SampleList(_nothing, samples=linked, found=[sample], may_write=True, element=ID, waiting=False)
    yield "none", SampleList(_nothing, element=ID, waiting=False)
    yield "found", _search(options={"q": "grid"}, hits=[_item("Grid 3")], total=1, asked=True)
    yield "not understood", _search(options={"where": "defocus >"}, asked=True, **REFUSED)
    yield "nothing asked", _search(hits=[_item("Lately")])
    yield "an owner's", SharingEditor(_nothing, permissions=PERMISSIONS, above=True)
    yield "a viewer's", SharingEditor(_nothing, permissions=PERMISSIONS | {"may_edit": False, "inherits": True})
    yield "closed", ShellDialog()
    yield "tabs", SideTabs(tabs=TABS)
    yield "managed", StorageBoard(_nothing, storages=STORAGES, manage=True)
    yield "none", StorageBoard(_nothing)
    yield (
        "an element",
        TitleBar(_nothing, kind="Folder", title="Apoferritin", about="Of May.", item=_item("Apoferritin")),
    )
    yield "refused", TitleBar(_nothing, title="Apoferritin", status="warning", **REFUSED)
    user = {"name": "Alice", "username": "alice", "roles": ["admin"], "created": WHEN}
    token = TOKEN | {"last_used": None, "expired": True}
    yield "just made", TokenBoard(_nothing, user=user, tokens=[token], made={"name": "Nightly", "text": "athena_abc"})
    yield "no token", TokenBoard(_nothing, user=user)
    tools = [tool.item for tool in TOOLS]
    yield "an administrator's", ToolBar(user="Alice", tools=tools, here="jobs", height=600)
    yield "no upload", UploadTray()
    may = {"manage": True, "licences": True, "roles": ["admin", "user-manager"]}
    people = [_account("alice", "customer-admin"), _account("bob", active=False, licensed=False, last_seen=None)]
    people.append(_account("athena-admin", "customer-admin", builtin=True))
    numbers = {"users": 2, "active_users": 1, "free_seats": 0, "total": 3}
    yield "managed", UsersBoard(_nothing, accounts=people, counts=numbers, may=may, said="No licence was free.")
    nothing_may = {"manage": False, "licences": False, "roles": []}
    yield "nobody found", UsersBoard(_nothing, counts=numbers | {"total": 0}, may=nothing_may, text="x")
    yield "empty", WidgetFrame(height=40)


def open_showcase() -> Any:
    """The page of all components, or with ``?of=FilterBar`` of that alone, which is there at once."""
    scheme: Scheme = "light" if pn.state.cookies.get(THEME_COOKIE) == "light" else "dark"
    sections: list[Any] = [Browser(theme=scheme, cookie=THEME_COOKIE, width=0, height=0, title="Components")]
    wanted = {name.decode() for name in pn.state.session_args.get("of", [])}
    for state, component in examples():
        name = type(component).__name__
        if wanted and name not in wanted:
            continue
        component.sizing_mode = component.sizing_mode or "stretch_width"
        # neither in a column of its own: a third of what the page is made of was such columns
        line = "1px dashed var(--athena-line)"
        head = {"border": line, "border-bottom": "0", "flex": "none"}
        heading = TitleBar(
            _nothing, kind=name, title=state, sizing_mode="stretch_width", margin=(8, 24, 0, 24), styles=head
        )
        component.margin = (0, 24, 8, 24)
        component.styles = component.styles | {"border": line, "border-top": "0", "overflow": "hidden", "flex": "none"}
        sections += [heading, component]
    pn.state.curdoc.template_variables["html_attrs"] = f'data-theme="{scheme}"'
    return pmui.Page(
        title="Components",
        main=sections,
        theme="dark" if scheme == "dark" else "default",
        theme_config=material_theme(),
        theme_toggle=False,
        busy_indicator=None,
        css_files=["widgets/inter.css"],
        raw_css=[page_css()],
        meta_title="Components · Athena",
    )
