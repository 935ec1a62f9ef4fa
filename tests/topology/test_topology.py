"""The picture says what the table of flows says, in every format, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings

from madeploy.cli.topology import FORMATS
from madeploy.errors import ToolkitError
from madeploy.settings import Environment
from madeploy.topology import svg
from madeploy.topology.build import MAX_CLUSTERS, build
from madeploy.topology.diagrams import to_dot, to_mermaid
from madeploy.topology.layout import layout, shortened
from madeploy.topology.model import Topology
from madeploy.topology.page import to_html
from madeploy.topology.svg import to_svg
from madeploy.topology.text import to_text
from manifests.flows import Component, flows
from tests.cli.conftest import Run
from tests.support import environments, strategies
from tests.support.proves import proves
from tests.support.stacks import stack_text

EVERY = pytest.mark.parametrize("name", environments.ALL)
HOSTILE = 'a"b<script>alert(1)</script>]})|`#;&\\ end %% -- \u202e'


def picture(name: str) -> Topology:
    return build(environments.ALL[name](), name)


def fleet(count: int, regions: int = 4) -> Topology:
    """A picture with that many compute clusters."""
    clusters = {
        f"c{number:03d}": {
            "server": f"https://c{number:03d}.example.com:6443",
            "region": f"r{number % regions}",
        }
        for number in range(count)
    }
    return build(environments.environment(clusters=clusters), "fleet")


def check_flows(environment: Environment) -> None:
    """Every flow between services has its arrow with its port, and every other one leaves or reaches one."""
    topology = build(environment, "test")
    edges = {(edge.source, edge.target): edge for edge in topology.edges}
    for flow in flows(environment):
        if flow.purpose == "name resolution":
            assert any("DNS" in note for note in topology.notes)
            continue
        source, target = flow.source, flow.destination
        named = [
            edge
            for edge in topology.edges
            if flow.purpose in edge.purposes
            and (not isinstance(source, Component) or edge.source == source.service)
            and (not isinstance(target, Component) or edge.target == target.service)
            and (flow.port is None or str(flow.port) in edge.ports.split(", "))
        ]
        handed = flow.purpose == "the same calls, handed to the door's pods"
        assert named or (handed and ("worker", "api") in edges), flow


@EVERY
def test_every_flow_is_an_arrow_or_a_note(name: str) -> None:
    """UX-5, NET-13: of the table NetworkPolicies are made from."""
    check_flows(environments.ALL[name]())
    assert not [node.id for node in picture(name).nodes if node.id.startswith("other_")]


@settings(max_examples=12)
@given(data=strategies.environments())
@proves("UX-5")
def test_every_flow_of_any_environment_is_an_arrow_or_a_note(data: dict[str, Any]) -> None:
    """UX-5: and the layout takes every picture."""
    environment = Environment.model_validate(data)
    check_flows(environment)
    check_layout(build(environment, "test"))


def check_layout(topology: Topology) -> None:
    drawn = layout(topology)
    for one, other in combinations(drawn.boxes, 2):
        beside = one.x + one.width <= other.x or other.x + other.width <= one.x
        apart = one.y + one.height <= other.y or other.y + other.height <= one.y
        assert beside or apart, (one.node.id, other.node.id)
    boxes = {box.node.id: box for box in drawn.boxes}
    for arrow in drawn.arrows:
        start, end = boxes[arrow.edge.source], boxes[arrow.edge.target]
        for (x, y), box in ((arrow.points[0], start), (arrow.points[-1], end)):
            assert x in (box.x, box.x + box.width)
            assert box.y <= y <= box.y + box.height
    for box in drawn.boxes:
        assert 0 <= box.x <= drawn.width - box.width
        assert 0 <= box.y <= drawn.height - box.height


@pytest.mark.parametrize("count", [0, 1, 3, 6, 7, 50, 1000])
def test_boxes_do_not_overlap_and_arrows_end_at_them(count: int) -> None:
    """UX-5, REG-12: with no cluster and with a thousand."""
    check_layout(fleet(count))


@EVERY
def test_no_arrow_runs_through_a_box(name: str) -> None:
    """UX-5: straight parts pass columns in lanes of their own."""
    drawn = layout(picture(name))
    for arrow in drawn.arrows:
        for (x, y), (to_x, to_y) in pairwise(arrow.points):
            if y == to_y:
                left, right = sorted((x, to_x))
                crossed = [
                    box.node.id
                    for box in drawn.boxes
                    if box.x < right and left < box.x + box.width and box.y < y < box.y + box.height
                ]
                assert not crossed, arrow.edge


@pytest.mark.parametrize(
    ("count", "regions", "boxes"),
    [(1, 4, 1), (6, 1, 6), (7, 1, 1), (50, 4, 4), (1000, 6, 6), (1000, 40, 6)],
)
def test_clusters_beyond_a_number_are_drawn_by_region(count: int, regions: int, boxes: int) -> None:
    """UX-5, REG-12: as many boxes as can be read, and none forgotten."""
    topology = fleet(count, regions)
    drawn = [node for node in topology.nodes if node.kind == "cluster"]
    assert len(drawn) == boxes <= MAX_CLUSTERS
    assert len(topology.to_data()["clusters"]) == count
    if count > MAX_CLUSTERS:
        assert sum(int(node.title.split()[0]) for node in drawn) == count


@EVERY
@pytest.mark.parametrize("form", FORMATS)
def test_the_same_settings_give_the_same_bytes(name: str, form: str) -> None:
    """UX-5: in whatever order clusters are written."""
    environment = environments.ALL[name]()
    turned = environment.model_copy(update={"clusters": dict(reversed(environment.clusters.items()))})
    assert FORMATS[form](build(environment, name)) == FORMATS[form](build(turned, name))


def hostile() -> Topology:
    """A picture whose every text tries to be something else."""
    topology = picture("production_aws")
    return replace(
        topology,
        stack=HOSTILE,
        namespace=HOSTILE,
        tier=HOSTILE,
        notes=(HOSTILE,),
        nodes=tuple(replace(node, title=HOSTILE, details=(HOSTILE,)) for node in topology.nodes),
        edges=tuple(replace(edge, ports=HOSTILE, purposes=(HOSTILE,)) for edge in topology.edges),
        clusters=tuple(replace(cluster, server=HOSTILE) for cluster in topology.clusters),
    )


def test_texts_stay_texts_in_svg_and_html() -> None:
    """UX-5, UX-3: a name is never read as markup."""
    for text in (to_svg(hostile()), to_html(hostile())):
        assert "<script" not in text
        assert "&lt;script&gt;" in text
    tree = ElementTree.fromstring(to_svg(hostile()))
    title = next(element for element in tree.iter() if element.tag.endswith("title"))
    assert title.text == f"Michelangelo, stack {HOSTILE}"


MERMAID_LINE = re.compile(
    r'---|title: ".*"|flowchart LR|  acc(Title|Descr): [^;#]+|  subgraph \w+\["[^"`<>]*"\]|  end'
    r'|  n_\w+(\[|\(\[|\[\()"([^"`<>]|<br/>)*"(\]|\]\)|\)\]):::[a-z]+'
    r'|  n_\w+ -->(\|"[^"`<>]*"\|)? n_\w+|  classDef [a-z]+ fill:#\w{6},stroke:#\w{6},color:#\w{6}'
)
DOT_TEXT = r'"([^"\\]|\\.)*"'
DOT_LINE = re.compile(
    rf"digraph {DOT_TEXT} \{{|  (graph|node|edge) \[.*\];|  subgraph cluster_\w+ \{{ label={DOT_TEXT};"
    r"|  \}|\}"
    rf"|  {DOT_TEXT} \[label={DOT_TEXT}, shape=\w+, fillcolor={DOT_TEXT}\];"
    rf"|  {DOT_TEXT} -> {DOT_TEXT} \[label={DOT_TEXT}, tooltip={DOT_TEXT}\];"
)


@pytest.mark.parametrize("make", [hostile, *(lambda name=name: picture(name) for name in environments.ALL)])
@pytest.mark.parametrize(("write", "grammar"), [(to_mermaid, MERMAID_LINE), (to_dot, DOT_LINE)])
def test_every_line_for_other_programs_is_of_a_form_they_read(
    make: Callable[[], Topology], write: Callable[[Topology], str], grammar: re.Pattern[str]
) -> None:
    """UX-5: labels are quoted, whatever stands in them; both forms were parsed by the programs themselves
    when they were written."""
    for line in write(make()).splitlines():
        assert grammar.fullmatch(line), line


@EVERY
def test_pages_load_nothing_and_run_nothing(name: str) -> None:
    """UX-5: they open without network, and their own policy forbids the rest."""
    for text in (to_svg(picture(name)), to_html(picture(name))):
        assert set(re.findall(r"https?://[^\s\"']+", text)) <= {"http://www.w3.org/2000/svg"}
        assert not re.search(r"<script|<link|<img|@import|url\(|javascript:|\son\w+=", text)
    assert "default-src 'none'" in to_html(picture(name))


@EVERY
def test_a_picture_is_told_to_those_who_cannot_see_it(name: str) -> None:
    """UX-5: title and description of the whole, a title for every box and arrow, and tables in the page."""
    topology = picture(name)
    tree = ElementTree.fromstring(to_svg(topology))
    space = "{http://www.w3.org/2000/svg}"
    assert tree.get("role") == "img"
    labelled = str(tree.get("aria-labelledby")).split()
    by_id = {element.get("id"): element for element in tree.iter()}
    assert [by_id[identity].text for identity in labelled] == [topology.title, topology.description]
    groups = tree.findall(f"{space}g")
    assert len(groups) == len(topology.nodes) + len(topology.edges)
    assert all(group[0].tag == f"{space}title" and group[0].text for group in groups)
    page = to_html(topology)
    assert page.count("<tr>") == 1 + len(topology.edges) + (1 + len(topology.clusters)) * bool(
        topology.clusters
    )


def _luminance(colour: str) -> float:
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", [svg.LIGHT, svg.DARK])
def test_text_is_readable_in_light_and_dark(palette: dict[str, str]) -> None:
    """UX-5: contrast of 4.5 to 1 and more (WCAG 2.1, 1.4.3), lines of 3 to 1."""
    surfaces = [colour for name, colour in palette.items() if name not in ("ink", "soft", "line")]
    for surface in surfaces:
        assert _contrast(palette["ink"], surface) >= 4.5
        assert _contrast(palette["soft"], surface) >= 4.5
    assert _contrast(palette["line"], palette["paper"]) >= 3
    assert _contrast(palette["line"], palette["frame"]) >= 3


def test_a_long_name_keeps_both_its_ends() -> None:
    """UX-5."""
    assert shortened("example-ml-workspace-of-the-search-team", 20) == "example-ml-wo…h-team"
    assert shortened("short", 20) == "short"


def test_the_terminal_gets_a_tree_of_each_caller() -> None:
    """UX-5: in Unicode, or ASCII where the terminal has no more."""
    text = to_text(picture("gateway_minio"))
    assert "Gateway  (class eg, namespace envoy-gateway-system)\n" in text
    assert "  ├─ 15566  → API server  Gateway to the gRPC API\n" in text
    assert "local    as its kubeconfig says\n" in text
    assert to_text(picture("gateway_minio"), unicode=False).isascii()
    assert "and 980 more; --format json lists all\n" in to_text(fleet(1000))


@pytest.mark.parametrize(
    ("arguments", "starts"),
    [
        ((), "Michelangelo, stack prod (production)"),
        (("--format", "mermaid"), "---\ntitle:"),
        (("--format", "dot"), "digraph"),
        (("--format", "svg"), "<svg"),
        (("--format", "html"), "<!doctype html>"),
        (("--format", "json"), "{"),
        (("--json",), "{"),
    ],
)
@proves("UX-5")
def test_the_command_prints_every_format(run: Run, arguments: tuple[str, ...], starts: str) -> None:
    """UX-5, UX-2."""
    result = run("topology", "prod", *arguments)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(starts)


@pytest.mark.parametrize(
    ("file", "starts"), [("a.svg", "<svg"), ("a.mmd", "---"), ("a.json", "{"), ("a.txt", "M")]
)
def test_a_file_is_written_in_the_format_of_its_name(run: Run, project: Path, file: str, starts: str) -> None:
    """UX-5, UX-2: and nothing else goes to the output."""
    result = run("topology", "prod", "-o", file)
    assert result.stdout == ""
    assert (project / file).read_text(encoding="utf-8").startswith(starts)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("prod", "--format", "png"), "formats are terminal, mermaid"),
        (("prod", "--format", "svg", "--json"), "--json is not --format svg"),
        (("nowhere",), "there are prod"),
        (("prod", "-o", "no/such/folder.svg"), "folder.svg cannot be written"),
    ],
)
def test_wrong_use_is_named(run: Run, arguments: tuple[str, ...], said: str) -> None:
    """UX-2, UX-3: exit code 2, without a traceback."""
    error = run("topology", *arguments).exception
    assert isinstance(error, ToolkitError)
    assert error.exit_code == 2
    assert said in str(error)


@pytest.mark.parametrize("form", FORMATS)
def test_no_secret_is_in_a_picture(run: Run, form: str) -> None:
    """UX-3: not even the encrypted form of one."""
    canary = "v1:c4n4rY"
    secret = {"kubeconfigs": {"control-plane": {"secure": canary}}}
    Path("stacks/Pulumi.secret.yaml").write_text(stack_text(secret), encoding="utf-8")
    shown = run("topology", "secret", "--format", form)
    assert shown.exit_code == 0
    assert "c4n4rY" not in shown.stdout


def test_json_has_every_box_arrow_and_cluster(run: Run) -> None:
    """UX-2: for machines."""
    data = json.loads(run("topology", "prod", "--json").stdout)
    ids = {node["id"] for node in data["nodes"]}
    assert {"app", "api", "apiserver", "controllermgr", "worker", "envoy", "ui", "store"} <= ids
    assert all({edge["source"], edge["target"]} <= ids for edge in data["edges"])
