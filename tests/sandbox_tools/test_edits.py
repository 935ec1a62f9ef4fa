"""Changed copies of modules: what is wanted is changed and no more; a module that does not fit is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madeploy.sandbox.tools.edits import EditedModule, EditError, Registration, Substitution

PREFIX = "example.com/services/"
PACKAGES = st.lists(st.sampled_from([f"service{n}" for n in range(30)]), min_size=1, max_size=12, unique=True)


def registering(packages: list[str], aliased: set[str]) -> str:
    """A file that registers `packages` as generators of registrations write one."""

    def name(package: str) -> str:
        return f"{package}_alias" if package in aliased else package

    imports = "".join(
        f'\t{name(package) + " " if package in aliased else ""}"{PREFIX}{package}"\n' for package in packages
    )
    functions = "".join(
        f"func (c *Client) {package.title()}() *{name(package)}.Client {{\n"
        f"\treturn must({name(package)}.New(c))\n}}\n\n"
        for package in packages
    )
    entries = "".join(f"\t\t{name(package)}.Register(),\n" for package in packages)
    return (
        f'package all\n\nimport (\n\t"context"\n{imports}\t"example.com/other"\n)\n\n{functions}'
        f"func all() []any {{\n\treturn []any{{\n{entries}\t\tother.Register(),\n\t}}\n}}\n"
    )


@given(PACKAGES, st.data())
def test_of_a_registration_exactly_the_wanted_packages_are_left(
    packages: list[str], data: st.DataObject
) -> None:
    """UX-1: what is left is what a generator would have written for these packages alone."""
    wanted = [package for package in packages if data.draw(st.booleans())]
    aliased = {package for package in packages if data.draw(st.booleans())}
    edit = Registration("all.go", PREFIX, tuple(wanted))
    assert edit.apply(registering(packages, aliased)) == registering(wanted, aliased)


@given(PACKAGES)
def test_a_package_that_is_not_registered_is_said(packages: list[str]) -> None:
    """UX-3."""
    edit = Registration("all.go", PREFIX, ("absent", packages[0]))
    with pytest.raises(EditError, match=r"all\.go does not register absent"):
        edit.apply(registering(packages, set()))


@pytest.mark.parametrize(("text", "count"), [("", 0), ("a = 2", 0), ("a = 1; a = 1", 2), ("a = 1\n" * 3, 3)])
def test_a_text_that_is_not_there_exactly_once_is_not_substituted(text: str, count: int) -> None:
    """UX-3: a guess at which place was meant would build something else than was tested."""
    with pytest.raises(EditError, match=f"{count} times, not once"):
        Substitution("x.go", "a = 1", "a = 3").apply(text)


def test_a_copy_holds_the_wanted_files_changed_and_can_be_written_to(tmp_path: Path) -> None:
    """UX-1."""
    source, target = tmp_path / "module", tmp_path / "copy"
    for name in (
        "go.mod",
        "a/one.go",
        "a/one_test.go",
        "a/testdata/x.go",
        "a/in/two.go",
        "a/out/three.go",
        "b/four.go",
        "a/five.go",
    ):
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("var a = 1\n", encoding="utf-8")
        path.chmod(0o444)
    module = EditedModule(
        "example.com/m",
        (Substitution("a/one.go", "= 1", "= 2"),),
        directories={"": ("a",), "a": ("in",)},
        omitted=("a/five.go",),
    )
    module.copy(source, target)
    copied = {str(path.relative_to(target)): path.read_text() for path in target.rglob("*") if path.is_file()}
    assert copied == {"go.mod": "var a = 1\n", "a/one.go": "var a = 2\n", "a/in/two.go": "var a = 1\n"}
    assert (source / "a/one.go").read_text() == "var a = 1\n"
