"""The page that benchmarks write: each puts its own section into docs/performance.md, and leaves the others."""

import os
import platform
import re
import time
from collections.abc import Sequence
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
HEAD = """# Performance

Written by `make bench`; ratios within one run, for times say more of the machine than of the program.
"""


def write_section(title: str, lines: Sequence[str]) -> None:
    """Write a section, in place of what was below its title."""
    text = PAGE.read_text() if PAGE.exists() else HEAD
    section = "\n".join([f"## {title}", "", *lines]).rstrip("\n") + "\n"
    found = re.search(rf"^## {re.escape(title)}\n.*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if found is None:
        PAGE.write_text(f"{text.rstrip()}\n\n{section}")
        return
    rest = text[found.end() :]
    PAGE.write_text(text[: found.start()] + section + ("\n" + rest if rest else ""))


def machine() -> str:
    """When and on what something was measured."""
    day = time.strftime("%Y-%m-%d", time.gmtime())
    return f"{day}, {platform.machine()} with {os.cpu_count()} cores, shared with other work"
