"""``python -m athena``: the same as the ``athena`` command."""

from athena.cli import main

if __name__ == "__main__":
    main()
