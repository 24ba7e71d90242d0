"""Plain pages outside the app: log-in, log-out, the API not answering. No script, no data, nothing from elsewhere."""

from html import escape

from athena_widgets import tokens

_STYLE = """
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--athena-background);
  color: var(--athena-text); font: 15px/1.6 var(--athena-font); }
main { max-width: 26rem; margin: 16px; padding: 32px; background: var(--athena-surface);
  border: 1px solid var(--athena-line); border-radius: var(--athena-radius); }
h1 { font-size: 20px; margin: 0 0 8px; font-weight: 600; }
p { margin: 0 0 8px; color: var(--athena-muted); }
code { color: var(--athena-text); font: 13px ui-monospace, monospace; }
"""


def notice_page(title: str, body_html: str, *, light: bool = False) -> str:
    """Return one page that says one thing. ``title`` is text, ``body_html`` is trusted markup."""
    scheme = "light" if light else "dark"
    return f"""<!DOCTYPE html>
<html lang="en" data-theme="{scheme}"><head><meta charset="utf-8"><title>{escape(title)} · Athena</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<style>{tokens.css(selector=":root")}{_STYLE}</style></head>
<body><main data-athena="notice"><h1>{escape(title)}</h1><p>{body_html}</p></main></body></html>"""
