"""A runner in a process of its own, to be killed: ``python one_runner.py <home> <database url>``."""

import sys
import threading
from pathlib import Path

from athena.jobs.executors import SerialExecutor
from athena.jobs.runner import Runner
from athena.settings import Settings

if __name__ == "__main__":
    home, database_url = sys.argv[1:]
    settings = Settings(home=Path(home), database_url=database_url, poll_seconds=0.05, lease_seconds=2.0)
    Runner(settings, executor=SerialExecutor("test")).run(threading.Event())
