"""Descriptor sets: files in an order that Envoy takes."""

from __future__ import annotations

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from hypothesis import given
from hypothesis import strategies as st

from madeploy.descriptors.sets import DescriptorError, in_order, read


def files(imports: dict[str, list[str]]) -> FileDescriptorSet:
    """A set of empty files with these imports."""
    made = [FileDescriptorProto(name=name, dependency=others) for name, others in imports.items()]
    return FileDescriptorSet(file=made)


@given(
    st.lists(st.integers(0, 2**12 - 1), min_size=1, max_size=12).flatmap(
        lambda masks: st.tuples(st.just(masks), st.permutations(range(len(masks))))
    )
)
def test_each_file_comes_after_those_it_imports(drawn: tuple[list[int], list[int]]) -> None:
    """CP-5, REL-1: whatever order a server names them in, siblings that import each other's included."""
    masks, order = drawn
    imports = {f"{n}": [f"{m}" for m in range(n) if masks[n] >> m & 1] for n in order}
    put = [file.name for file in in_order(files(imports))]
    assert sorted(put) == sorted(imports)
    for position, name in enumerate(put):
        assert set(imports[name]) <= set(put[:position])
    ordered = FileDescriptorSet(file=list(in_order(files(imports))))
    assert read(ordered.SerializeToString()).services == frozenset()


def test_a_file_before_the_one_it_imports_is_told() -> None:
    """CP-5: Envoy would stop at start-up."""
    with pytest.raises(DescriptorError, match=r"has a\.proto before b\.proto, which it imports"):
        read(files({"a.proto": ["b.proto"], "b.proto": []}).SerializeToString())


def test_files_that_import_each_other_are_told() -> None:
    """UX-3: no compiler makes them; a server may say anything."""
    with pytest.raises(DescriptorError, match="import each other"):
        list(in_order(files({"a.proto": ["b.proto"], "b.proto": ["a.proto"]})))
