"""The command in a project folder."""

from tests.cli_config.conftest import project, run

__all__ = ["project", "run"]
