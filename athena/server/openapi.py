"""The contract as a file: ``python -m athena.server.openapi`` writes docs/openapi.json, ``--check`` compares it."""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from athena.server.app import create_app
from athena.settings import Settings

TARGET = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"


def openapi_text() -> str:
    """Text of the contract, as committed."""
    with TemporaryDirectory() as home:
        app = create_app(Settings(home=Path(home), database_url="", auth="local"))
        return json.dumps(app.openapi(), indent=1, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write or check the file; 1 when the check fails."""
    text = openapi_text()
    if "--check" not in arguments:
        TARGET.parent.mkdir(exist_ok=True)
        TARGET.write_text(text)
        return 0
    if TARGET.exists() and TARGET.read_text() == text:
        return 0
    sys.stderr.write(f"{TARGET.name} is not current: run 'make openapi' and commit it\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
