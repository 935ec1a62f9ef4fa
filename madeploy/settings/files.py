"""Files that a stack file names: they stand beside it and are read together with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Final

from pydantic import GetCoreSchemaHandler, ValidationInfo, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

from madeploy.settings.base import Accepts

MAX_BYTES: Final = 4 * 1024 * 1024
"""How much of a file is read; every use has a lower limit of its own."""

Read = Callable[[str], bytes | None]
"""Content of a file by its path from the stack file; None when it cannot be read."""

CONTEXT: Final = "read"
"""Key of the validation's context under which a `Read` stands."""


@dataclass(frozen=True)
class FileBeside:
    """A file by its path from the stack file, and what is in it."""

    path: str
    content: bytes | None
    """None when there is no such file, or it cannot be read."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.union_schema(
            [
                core_schema.is_instance_schema(cls),
                core_schema.with_info_after_validator_function(_read, core_schema.str_schema()),
            ],
            mode="left_to_right",
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda file: file.path, when_used="json"
            ),
        )


def _read(path: str, info: ValidationInfo) -> FileBeside:
    plain = PurePosixPath(path)
    if not path or plain.is_absolute() or plain.name in ("", ".."):
        raise ValueError("is no path from the stack file's folder")
    context = info.context
    read: Read | None = context.get(CONTEXT) if isinstance(context, Mapping) else None
    return FileBeside(path, read(path) if read is not None else None)


def reader(folder: Path) -> Read:
    """Reads files of a folder."""

    def read(path: str) -> bytes | None:
        try:
            with (folder / path).open("rb") as stream:
                return stream.read(MAX_BYTES + 1)
        except OSError:
            return None

    return read


Beside = Annotated[
    FileBeside,
    WithJsonSchema({"type": "string", "minLength": 1}),
    Accepts("the path of a file from the stack file's own folder", "descriptors/0.12.0.pb"),
]
"""A file beside the stack file."""
