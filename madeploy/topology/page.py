"""The picture as one HTML file: SVG, and the same in tables. Opens without network, prints, follows the
reader's choice of light and dark."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Final

from madeploy.findings.html import page
from madeploy.topology.model import Topology
from madeploy.topology.svg import to_svg

_STYLE: Final = """\
body { max-width: 110rem; padding: 2rem 1.5rem; }
p { color: var(--soft); }
figure { margin: 1.2rem 0; overflow-x: auto; }
svg { max-width: none; }
@media print { svg { max-width: 100%; height: auto; } }
"""


def _table(caption: str, head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    lines = [f"<h2>{escape(caption)}</h2>", "<table>", "<thead><tr>"]
    lines += [f'<th scope="col">{escape(cell)}</th>' for cell in head]
    lines += ["</tr></thead>", "<tbody>"]
    for row in rows:
        lines.append("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>")
    return [*lines, "</tbody>", "</table>"]


def to_html(topology: Topology) -> str:
    """The whole page, ending in a newline."""
    flows = (
        (
            topology.node(edge.source).title,
            topology.node(edge.target).title,
            edge.ports or "any",
            edge.purpose,
        )
        for edge in topology.edges
    )
    body = [
        f"<h1>{escape(topology.title)}</h1>",
        f"<p>{escape(topology.tier)}, namespace {escape(topology.namespace)}</p>",
        f"<figure>{to_svg(topology)}</figure>",
        *(f"<p>{escape(note)}</p>" for note in topology.notes),
        *_table("Who opens connections to whom", ("From", "To", "Port", "What for"), flows),
    ]
    if topology.clusters:
        rows = ((item.name, item.server, item.region, item.zone) for item in topology.clusters)
        body += _table("Compute clusters", ("Name", "API server", "Region", "Zone"), rows)
    return page(topology.title, _STYLE, body)
