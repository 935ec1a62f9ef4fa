"""The command in a project folder."""

from tests.cli.conftest import project, run

__all__ = ["project", "run"]
