"""Keys and their aliases."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from madeploy.sandbox.plugins.aws.resource import (
    ResourceType,
    Session,
    code_of,
    document,
    own_tags,
    retag,
    tag_map,
)
from madeploy.sandbox.plugins.properties import Properties

_GONE = "NotFoundException"
_DEFAULT = "default"
"""Name of a key's policy; there is no other."""


class Key(ResourceType):
    token = "aws:kms/key:Key"
    optional = (
        "deletionWindowInDays",
        "description",
        "enableKeyRotation",
        "policy",
        "region",
        "rotationPeriodInDays",
    )
    replaces = frozenset({"region"})
    computed = ("arn", "keyId")
    documents = frozenset({"policy"})
    taggable = True

    def create(self, session: Session, inputs: Properties) -> tuple[str, Properties]:
        kms = session.client("kms", inputs.get("region"))
        options = {"Policy": document(inputs["policy"])} if inputs.get("policy") else {}
        made = kms.create_key(
            Description=inputs.get("description") or "",
            Tags=[{"TagKey": key, "TagValue": value} for key, value in (inputs.get("tagsAll") or {}).items()],
            **options,
        )["KeyMetadata"]
        self._rotate(kms, made["KeyId"], inputs)
        return made["KeyId"], self._outputs(session, kms, made["KeyId"], inputs)

    def read(self, session: Session, id: str, known: Properties) -> Properties | None:
        kms = session.client("kms", known.get("region"))
        try:
            if kms.describe_key(KeyId=id)["KeyMetadata"]["KeyState"] == "PendingDeletion":
                return None
            return self._outputs(session, kms, id, known)
        except ClientError as error:
            if code_of(error) == _GONE:
                return None
            raise

    def update(self, session: Session, id: str, known: Properties, inputs: Properties) -> Properties:
        kms = session.client("kms", known.get("region"))
        kms.update_key_description(KeyId=id, Description=inputs.get("description") or "")
        if inputs.get("policy"):
            kms.put_key_policy(KeyId=id, PolicyName=_DEFAULT, Policy=document(inputs["policy"]))
        self._rotate(kms, id, inputs)

        def tag(KeyId: str, Tags: list[dict[str, str]]) -> None:  # noqa: N803 - as the API spells them
            renamed = [{"TagKey": entry["Key"], "TagValue": entry["Value"]} for entry in Tags]
            kms.tag_resource(KeyId=KeyId, Tags=renamed)

        retag(inputs, known, tag, kms.untag_resource, KeyId=id)
        return self._outputs(session, kms, id, inputs)

    def delete(self, session: Session, id: str, known: Properties) -> None:
        kms = session.client("kms", known.get("region"))
        try:
            kms.schedule_key_deletion(
                KeyId=id, PendingWindowInDays=int(known.get("deletionWindowInDays") or 30)
            )
        except ClientError as error:
            if code_of(error) not in (_GONE, "KMSInvalidStateException"):
                raise

    @staticmethod
    def _rotate(kms: Any, id: str, inputs: Properties) -> None:
        if inputs.get("enableKeyRotation"):
            period = inputs.get("rotationPeriodInDays")
            kms.enable_key_rotation(KeyId=id, **({"RotationPeriodInDays": int(period)} if period else {}))
        else:
            kms.disable_key_rotation(KeyId=id)

    @staticmethod
    def _outputs(session: Session, kms: Any, id: str, known: Properties) -> Properties:
        found = kms.describe_key(KeyId=id)["KeyMetadata"]
        rotation = kms.get_key_rotation_status(KeyId=id)
        tags = [
            {"Key": tag["TagKey"], "Value": tag["TagValue"]}
            for tag in kms.list_resource_tags(KeyId=id).get("Tags", [])
        ]
        return {
            "arn": found["Arn"],
            "keyId": id,
            "description": found.get("Description") or "",
            "deletionWindowInDays": known.get("deletionWindowInDays"),
            "enableKeyRotation": rotation["KeyRotationEnabled"],
            # The emulation keeps no period.
            "rotationPeriodInDays": rotation.get("RotationPeriodInDays", known.get("rotationPeriodInDays")),
            "policy": document(kms.get_key_policy(KeyId=id, PolicyName=_DEFAULT)["Policy"]),
            "region": known.get("region") or session.region,
            **own_tags(tag_map(tags), known, session),
        }


class Alias(ResourceType):
    token = "aws:kms/alias:Alias"
    required = ("targetKeyId",)
    optional = ("name", "region")
    replaces = frozenset({"name", "region"})
    computed = ("arn", "targetKeyArn")

    def create(self, session: Session, inputs: Properties) -> tuple[str, Properties]:
        kms = session.client("kms", inputs.get("region"))
        kms.create_alias(AliasName=inputs["name"], TargetKeyId=inputs["targetKeyId"])
        return inputs["name"], self._outputs(session, kms, inputs["name"], inputs) or {}

    def read(self, session: Session, id: str, known: Properties) -> Properties | None:
        return self._outputs(session, session.client("kms", known.get("region")), id, known)

    def update(self, session: Session, id: str, known: Properties, inputs: Properties) -> Properties:
        kms = session.client("kms", known.get("region"))
        kms.update_alias(AliasName=id, TargetKeyId=inputs["targetKeyId"])
        return self._outputs(session, kms, id, inputs) or {}

    def delete(self, session: Session, id: str, known: Properties) -> None:
        try:
            session.client("kms", known.get("region")).delete_alias(AliasName=id)
        except ClientError as error:
            if code_of(error) != _GONE:
                raise

    @staticmethod
    def _outputs(session: Session, kms: Any, name: str, known: Properties) -> Properties | None:
        for page in kms.get_paginator("list_aliases").paginate():
            for alias in page["Aliases"]:
                if alias["AliasName"] == name and "TargetKeyId" in alias:
                    base = alias["AliasArn"].rpartition(":")[0]
                    return {
                        "arn": alias["AliasArn"],
                        "name": name,
                        "targetKeyId": alias["TargetKeyId"],
                        "targetKeyArn": f"{base}:key/{alias['TargetKeyId']}",
                        "region": known.get("region") or session.region,
                    }
        return None
