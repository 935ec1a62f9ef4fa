"""Addresses of API servers: one normal form, equal for whatever is spelt otherwise only."""

from __future__ import annotations

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from madeploy.names.servers import split_server
from madeploy.settings.servers import canonical_server, parse_server

LABEL = st.from_regex(r"[a-z]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
NAMES = st.lists(LABEL, min_size=1, max_size=4).map(".".join)
ADDRESSES = st.ip_addresses(v=4).map(str) | st.ip_addresses(v=6).map(lambda found: f"[{found.exploded}]")
HOSTS = NAMES | ADDRESSES
PORTS = st.integers(1, 65535)


@given(HOSTS, PORTS)
def test_splitting_and_joining_gives_the_same_address(host: str, port: int) -> None:
    """REG-1: what the platform joins is the address that was given."""
    split = split_server(f"https://{host}:{port}")
    joined = ":".join(split)
    assert split_server(joined) == split
    assert joined == f"https://{canonical_server(joined)}"
    assert split[0].startswith("https://")
    assert split[1] == str(port)


@given(HOSTS, PORTS, st.booleans(), st.booleans(), st.booleans())
def test_spelling_makes_no_difference(host: str, port: int, upper: bool, slash: bool, dot: bool) -> None:
    """REG-1: capitals, a slash at the end, a final dot, a port that starts with 0."""
    spelt = host.upper() if upper else host
    spelt += "." if dot and host[-1].isalpha() else ""
    other = f"https://{spelt}:0{port}{'/' if slash else ''}"
    assert canonical_server(other) == canonical_server(f"https://{host}:{port}")


@given(st.ip_addresses(v=6), PORTS)
def test_an_ipv6_address_has_one_form(address: ipaddress.IPv6Address, port: int) -> None:
    """REG-1: however many zeros are written out; always in brackets, so that a port can follow."""
    host, found = parse_server(f"https://[{address.exploded}]:{port}")
    assert host == f"[{address.compressed}]"
    assert found == port


@given(HOSTS, HOSTS, PORTS, PORTS)
def test_different_servers_stay_different(one: str, other: str, port: int, another: int) -> None:
    """REG-4: two addresses are one only when host and port are."""
    same = canonical_server(f"https://{one}:{port}") == canonical_server(f"https://{other}:{another}")
    hosts = {parse_server(f"https://{host}")[0] for host in (one, other)}
    assert same is (len(hosts) == 1 and port == another)


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_is_refused_without_repeating_it(text: str) -> None:
    """REG-1, UX-3: nothing else happens, and what is accepted means the same to every reader."""
    address, said = f"https://{text}", ""
    try:
        host, port = parse_server(address)
    except ValueError as error:
        said = str(error)
    if said:
        # Short texts are words of the message by chance.
        assert len(text) < 12 or text not in said
        return
    assert host.isascii()
    assert not set(host) & set("@/?#%\\ \t\r\n")
    assert 1 <= port <= 65535
    assert split_server(f"https://{host}:{port}") == (f"https://{host}", str(port))
