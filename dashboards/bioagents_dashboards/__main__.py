"""``python -m bioagents_dashboards build`` writes the boards' files anew, for developers of this project."""

from __future__ import annotations

import argparse

from bioagents_dashboards.forms.write import write
from bioagents_dashboards.locate import boards_folder


def main() -> None:
    """Parse the command line and build."""
    parser = argparse.ArgumentParser(prog="python -m bioagents_dashboards", description=__doc__)
    parser.add_argument("command", choices=["build"])
    parser.parse_args()
    for path in write(boards_folder().parent):
        print(path)  # noqa: T201 - what a developer's command did


if __name__ == "__main__":
    main()
