"""Short commands of the Pulumi CLI are started where the project is, from wherever a person calls."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from madeploy.cli.plan import _live
from madeploy.errors import ToolkitError
from madeploy.stacks.files import project
from madeploy.stacks.pulumi import pulumi
from madeploy.stacks.secrets import remove_secret, secret_section, set_secret
from tests.support.environments import environment

SECRET = "canary of a secret"

CALLS: dict[str, Callable[[], object]] = {
    "secrets are read": lambda: secret_section("prod", "kubeconfigs"),
    "a secret is written": lambda: set_secret("prod", ("kubeconfigs", "gpu"), SECRET),
    "a secret is removed": lambda: remove_secret("prod", ("kubeconfigs", "gpu")),
    "a plan asks for a preview": lambda: _live("prod", Path("Pulumi.prod.yaml"), environment()),
}


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `pulumi` that writes down where it was started and with what; it is what PATH finds first."""
    tools = tmp_path / "bin"
    tools.mkdir()
    program = tools / "pulumi"
    program.write_text(
        "#!/bin/sh\n"
        f'pwd > "{tmp_path}/where"\necho "$@" > "{tmp_path}/arguments"\ncat > "{tmp_path}/entered"\n'
        "echo '{\"steps\": []}'\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    return tmp_path


@pytest.mark.parametrize("called_from", ["/", "elsewhere"])
@pytest.mark.parametrize("call", CALLS)
def test_it_is_started_in_the_projects_folder(
    call: str, called_from: str, cli: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CARD-3, UX-3: commands work from any directory."""
    (cli / "elsewhere").mkdir()
    monkeypatch.chdir(cli / called_from)
    CALLS[call]()
    assert (cli / "where").read_text().strip() == str(project())
    assert project() == Path(__file__).resolve().parents[2]


def test_a_project_of_ones_own_is_preferred(cli: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CARD-3."""
    (cli / "mine" / "stacks").mkdir(parents=True)
    monkeypatch.chdir(cli / "mine")
    secret_section("prod", "kubeconfigs")
    assert (cli / "where").read_text().strip() == str(cli / "mine")


def test_a_secret_is_entered_and_never_an_argument(cli: Path) -> None:
    """UX-3: no list of processes shows it."""
    set_secret("prod", ("kubeconfigs", "gpu"), SECRET)
    assert (cli / "entered").read_text() == SECRET
    assert SECRET not in (cli / "arguments").read_text()


def test_a_cli_that_says_nothing_or_is_not_there_is_named(cli: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """UX-3."""
    (cli / "bin/pulumi").write_text("#!/bin/sh\nexec sleep 30\n")
    with pytest.raises(ToolkitError, match="gave no answer"):
        pulumi("about", what="nothing can be asked", fix="install it", seconds=0.2)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ToolkitError, match="not on PATH"):
        pulumi("about", what="nothing can be asked", fix="install it")
