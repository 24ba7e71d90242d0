"""The one gate: ``make check`` runs every static check and says which failed."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
MAX_LINES = 420
"""Style asks for about 400 lines a module; a little slack keeps the check from dictating where to cut."""


def oversized() -> list[str]:
    """Tracked modules that are too long."""
    listed = subprocess.run(["git", "ls-files", "*.py", "*.ts"], cwd=ROOT, capture_output=True, text=True, check=True)
    found = []
    for name in listed.stdout.split():
        path = ROOT / name
        if path.exists() and ".gen." not in name and (count := len(path.read_text().splitlines())) > MAX_LINES:
            found.append(f"{name}: {count} lines (limit {MAX_LINES}): split it by noun")
    return found


def main() -> int:
    """Run every check; return the number that failed."""
    commands = {
        "ruff check": [str(BIN / "ruff"), "check", "."],
        "ruff format": [str(BIN / "ruff"), "format", "--check", "."],
        "mypy": [str(BIN / "mypy")],
        "import-linter": [str(BIN / "lint-imports")],
        "openapi current": [sys.executable, "-m", "athena.server.openapi", "--check"],
        "typescript": [sys.executable, str(ROOT / "widgets/js/build.py"), "--check"],
    }
    failed = []
    for name, command in commands.items():
        print(f"── {name}", flush=True)
        if subprocess.run(command, cwd=ROOT, check=False).returncode:
            failed.append(name)
    print("── module size", flush=True)
    if long := oversized():
        print("\n".join(long))
        failed.append("module size")
    print(f"\nfailed: {', '.join(failed)}" if failed else "\nall checks passed")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
