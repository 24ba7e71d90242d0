"""``make features``: which features of the contract (``docs/features.md``) have a passing test.

Outcomes are those of the last run of the whole suite; where the sources have changed since, the suite is run first.
``--known`` prints what is known without running anything.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
OUTCOMES = ROOT / "test-results" / "features.json"
ROW = re.compile(r"^\| ([A-Z]{2}-\d{2}) \| (.+?) \|$", re.MULTILINE)


def contract() -> dict[str, str]:
    """Every feature id with its first words."""
    rows = ROW.findall((ROOT / "docs" / "features.md").read_text())
    return {feature: text if len(text) <= 90 else f"{text[:89]}…" for feature, text in rows}


def is_fresh() -> bool:
    """Whether the whole suite has run since a source last changed."""
    if not OUTCOMES.exists():
        return False
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    sources = [ROOT / name for name in listed.stdout.splitlines() if name.endswith((".py", ".ts", ".toml"))]
    changed = max(path.stat().st_mtime for path in sources if path.exists())
    return bool(json.loads(OUTCOMES.read_text())["complete"] >= changed)


def standing(tests: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Standing of each marked feature: "passed" if every test of it passed, or was skipped and another passed."""
    outcomes: dict[str, set[str]] = {}
    for test in tests.values():
        for feature in test["features"]:
            outcomes.setdefault(feature, set()).add(str(test["outcome"]))
    return {
        feature: next(word for word in ("failed", "passed", "skipped") if word in found)
        for feature, found in outcomes.items()
    }


def main() -> int:
    """Print the table; return 1 if a marked feature fails or is not in the contract."""
    features = contract()
    ran = "--known" in sys.argv or is_fresh()
    if not ran:
        subprocess.run([sys.executable, "-m", "pytest", "-q"], cwd=ROOT, check=False)
    tests = json.loads(OUTCOMES.read_text())["tests"] if OUTCOMES.exists() else {}
    found = standing(tests)
    for feature, text in features.items():
        print(f"{feature}  {found.get(feature, '-'):8} {text}")
    passed = sum(found.get(feature) == "passed" for feature in features)
    print(f"\n{passed} of {len(features)} features have a passing test.")
    unknown = sorted(set(found) - set(features))
    if unknown:
        print(f"marks that name no feature of the contract: {', '.join(unknown)}")
    return int(bool(unknown) or "failed" in found.values())


if __name__ == "__main__":
    sys.exit(main())
