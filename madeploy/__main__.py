"""`python -m madeploy` is the command `madeploy`."""

import sys

from madeploy import __version__


def main() -> None:
    """Run the command, as `madeploy.cli.app` says."""
    # What is asked for by scripts, and in each of a shell's prompts: it takes none of the command's imports.
    if sys.argv[1:] == ["--version"]:
        print(f"madeploy {__version__}")  # noqa: T201
        return
    from madeploy.cli.app import main

    main()


if __name__ == "__main__":
    main()
