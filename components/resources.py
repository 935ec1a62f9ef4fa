"""Resources by their type token, with inputs as their plugin spells them.

A typed class of an SDK brings its whole module along: `pulumi_kubernetes.core.v1` and `pulumi_aws.s3` cost as
much processor time to import as all else that the program imports. What the classes would check, a test does
(`tests/components/test_aws_arguments.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi


class Resource(pulumi.CustomResource):
    """A resource of any type.

    Args:
        type_: its token, `aws:s3/bucket:Bucket`.
        name: its logical name.
        inputs: what the plugin is given; an input that is None is left out.
        opts: options; `additional_secret_outputs` and `ignore_changes` in the plugin's spelling too.
        outputs: names of outputs that are no inputs and that somebody reads.
    """

    def __init__(
        self,
        type_: str,
        name: str,
        inputs: Mapping[str, Any],
        opts: pulumi.ResourceOptions,
        outputs: Sequence[str] = (),
    ) -> None:
        # The SDK resolves an output for each of these names; None says nothing to the plugin.
        super().__init__(type_, name, {**dict.fromkeys(outputs), **inputs}, opts)

    def output(self, name: str) -> pulumi.Output[Any]:
        """One of its inputs or of `outputs` as the plugin returns it. Raises KeyError for another."""
        found: pulumi.Output[Any] = self.__dict__[name]
        return found
