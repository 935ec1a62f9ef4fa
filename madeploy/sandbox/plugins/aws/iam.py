"""Roles, policies and the providers of identities that may take roles."""

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
    tag_list,
    tag_map,
)
from madeploy.sandbox.plugins.properties import Properties

_GONE = "NoSuchEntity"
_VERSIONS_KEPT = 5
"""Versions of a managed policy that AWS keeps; the next one needs room."""


class _Described(ResourceType):
    """A type whose outputs are what IAM says of it, after a creation as after a read."""

    def read(self, session: Session, id: str, known: Properties) -> Properties | None:
        try:
            return self._outputs(session, id, known)
        except ClientError as error:
            if code_of(error) == _GONE:
                return None
            raise

    @staticmethod
    def _outputs(session: Session, id: str, known: Properties) -> Properties:
        """Outputs of the resource of this id. Raises ClientError when IAM does not have it."""
        raise NotImplementedError


class Role(_Described):
    token = "aws:iam/role:Role"
    required = ("assumeRolePolicy",)
    optional = (
        "description",
        "forceDetachPolicies",
        "maxSessionDuration",
        "name",
        "namePrefix",
        "path",
        "permissionsBoundary",
    )
    replaces = frozenset({"name", "namePrefix", "path"})
    computed = ("arn", "createDate", "uniqueId")
    documents = frozenset({"assumeRolePolicy"})
    named_by = "name"
    taggable = True

    def create(self, session: Session, inputs: Properties) -> tuple[str, Properties]:
        iam = session.client("iam")
        options = {
            "Description": inputs.get("description"),
            "MaxSessionDuration": inputs.get("maxSessionDuration"),
            "PermissionsBoundary": inputs.get("permissionsBoundary"),
            "Tags": tag_list(inputs.get("tagsAll")) or None,
        }
        iam.create_role(
            RoleName=inputs["name"],
            AssumeRolePolicyDocument=document(inputs["assumeRolePolicy"]),
            Path=inputs.get("path") or "/",
            **{key: value for key, value in options.items() if value is not None},
        )
        return inputs["name"], self._outputs(session, inputs["name"], inputs)

    def update(self, session: Session, id: str, known: Properties, inputs: Properties) -> Properties:
        iam = session.client("iam")
        trust = document(inputs["assumeRolePolicy"])
        iam.update_assume_role_policy(RoleName=id, PolicyDocument=trust)
        iam.update_role(
            RoleName=id,
            Description=inputs.get("description") or "",
            MaxSessionDuration=inputs.get("maxSessionDuration") or 3600,
        )
        if boundary := inputs.get("permissionsBoundary"):
            iam.put_role_permissions_boundary(RoleName=id, PermissionsBoundary=boundary)
        elif known.get("permissionsBoundary"):
            iam.delete_role_permissions_boundary(RoleName=id)
        retag(inputs, known, iam.tag_role, iam.untag_role, RoleName=id)
        return self._outputs(session, id, inputs)

    def delete(self, session: Session, id: str, known: Properties) -> None:
        iam = session.client("iam")
        try:
            if known.get("forceDetachPolicies"):
                for policy in iam.list_attached_role_policies(RoleName=id)["AttachedPolicies"]:
                    iam.detach_role_policy(RoleName=id, PolicyArn=policy["PolicyArn"])
                for name in iam.list_role_policies(RoleName=id)["PolicyNames"]:
                    iam.delete_role_policy(RoleName=id, PolicyName=name)
            iam.delete_role(RoleName=id)
        except ClientError as error:
            if code_of(error) != _GONE:
                raise

    @staticmethod
    def _outputs(session: Session, id: str, known: Properties) -> Properties:
        role = session.client("iam").get_role(RoleName=id)["Role"]
        return {
            "name": id,
            "namePrefix": known.get("namePrefix") or "",
            "arn": role["Arn"],
            "assumeRolePolicy": document(role["AssumeRolePolicyDocument"]),
            "createDate": role["CreateDate"].strftime("%Y-%m-%dT%H:%M:%SZ"),
            "description": role.get("Description") or None,
            "forceDetachPolicies": bool(known.get("forceDetachPolicies", False)),
            "maxSessionDuration": role.get("MaxSessionDuration", 3600),
            "path": role["Path"],
            "permissionsBoundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
            "uniqueId": role["RoleId"],
            **own_tags(tag_map(role.get("Tags")), known, session),
        }


class RolePolicy(ResourceType):
    token = "aws:iam/rolePolicy:RolePolicy"
    required = ("policy", "role")
    optional = ("name", "namePrefix")
    replaces = frozenset({"name", "namePrefix", "role"})
    documents = frozenset({"policy"})
    named_by = "name"

    def create(self, session: Session, inputs: Properties) -> tuple[str, Properties]:
        return f"{inputs['role']}:{inputs['name']}", self._written(session, inputs)

    def read(self, session: Session, id: str, known: Properties) -> Properties | None:
        role, _, name = id.partition(":")
        try:
            found = session.client("iam").get_role_policy(RoleName=role, PolicyName=name)
        except ClientError as error:
            if code_of(error) == _GONE:
                return None
            raise
        prefix = known.get("namePrefix") or ""
        return {"name": name, "namePrefix": prefix, "role": role, "policy": document(found["PolicyDocument"])}

    def update(self, session: Session, id: str, known: Properties, inputs: Properties) -> Properties:
        return self._written(session, inputs)

    def delete(self, session: Session, id: str, known: Properties) -> None:
        role, _, name = id.partition(":")
        try:
            session.client("iam").delete_role_policy(RoleName=role, PolicyName=name)
        except ClientError as error:
            if code_of(error) != _GONE:
                raise

    @staticmethod
    def _written(session: Session, inputs: Properties) -> Properties:
        policy = document(inputs["policy"])
        session.client("iam").put_role_policy(
            RoleName=inputs["role"], PolicyName=inputs["name"], PolicyDocument=policy
        )
        return {**inputs, "policy": policy, "namePrefix": inputs.get("namePrefix") or ""}


class Policy(_Described):
    token = "aws:iam/policy:Policy"
    required = ("policy",)
    optional = ("description", "name", "namePrefix", "path")
    replaces = frozenset({"description", "name", "namePrefix", "path"})
    computed = ("arn", "attachmentCount", "policyId")
    documents = frozenset({"policy"})
    named_by = "name"
    taggable = True

    def create(self, session: Session, inputs: Properties) -> tuple[str, Properties]:
        made = session.client("iam").create_policy(
            PolicyName=inputs["name"],
            PolicyDocument=document(inputs["policy"]),
            Path=inputs.get("path") or "/",
            Description=inputs.get("description") or "",
            Tags=tag_list(inputs.get("tagsAll")),
        )["Policy"]
        return made["Arn"], self._outputs(session, made["Arn"], inputs)

    def update(self, session: Session, id: str, known: Properties, inputs: Properties) -> Properties:
        iam = session.client("iam")
        policy = document(inputs["policy"])
        if policy != known.get("policy"):
            versions = iam.list_policy_versions(PolicyArn=id)["Versions"]
            old = sorted((version for version in versions if not version["IsDefaultVersion"]), key=_age)
            for version in old[: max(0, len(versions) - _VERSIONS_KEPT + 1)]:
                iam.delete_policy_version(PolicyArn=id, VersionId=version["VersionId"])
            iam.create_policy_version(PolicyArn=id, PolicyDocument=policy, SetAsDefault=True)
        retag(inputs, known, iam.tag_policy, iam.untag_policy, PolicyArn=id)
        return self._outputs(session, id, inputs)

    def delete(self, session: Session, id: str, known: Properties) -> None:
        iam = session.client("iam")
        try:
            for version in iam.list_policy_versions(PolicyArn=id)["Versions"]:
                if not version["IsDefaultVersion"]:
                    iam.delete_policy_version(PolicyArn=id, VersionId=version["VersionId"])
            iam.delete_policy(PolicyArn=id)
        except ClientError as error:
            if code_of(error) != _GONE:
                raise

    @staticmethod
    def _outputs(session: Session, id: str, known: Properties) -> Properties:
        iam = session.client("iam")
        found = iam.get_policy(PolicyArn=id)["Policy"]
        version = iam.get_policy_version(PolicyArn=id, VersionId=found["DefaultVersionId"])["PolicyVersion"]
        return {
            "arn": id,
            "attachmentCount": found.get("AttachmentCount", 0),
            "description": found.get("Description") or None,
            "name": found["PolicyName"],
            "namePrefix": known.get("namePrefix") or "",
            "path": found["Path"],
            "policy": document(version["Document"]),
            "policyId": found["PolicyId"],
            **own_tags(tag_map(found.get("Tags")), known, session),
        }


class RolePolicyAttachment(ResourceType):
    token = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    required = ("policyArn", "role")
    replaces = frozenset({"policyArn", "role"})

    def create(self, session: Session, inputs: Properties) -> tuple[str, Properties]:
        role, arn = inputs["role"], inputs["policyArn"]
        session.client("iam").attach_role_policy(RoleName=role, PolicyArn=arn)
        return f"{role}/{arn}", dict(inputs)

    def read(self, session: Session, id: str, known: Properties) -> Properties | None:
        role, _, arn = id.partition("/")
        try:
            pages = session.client("iam").get_paginator("list_attached_role_policies").paginate(RoleName=role)
            attached = {policy["PolicyArn"] for page in pages for policy in page["AttachedPolicies"]}
        except ClientError as error:
            if code_of(error) == _GONE:
                return None
            raise
        return {"role": role, "policyArn": arn} if arn in attached else None

    def update(self, session: Session, id: str, known: Properties, inputs: Properties) -> Properties:
        return dict(inputs)

    def delete(self, session: Session, id: str, known: Properties) -> None:
        role, _, arn = id.partition("/")
        try:
            session.client("iam").detach_role_policy(RoleName=role, PolicyArn=arn)
        except ClientError as error:
            if code_of(error) != _GONE:
                raise


class OpenIdConnectProvider(_Described):
    token = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
    required = ("clientIdLists", "url")
    optional = ("thumbprintLists",)
    replaces = frozenset({"url"})
    computed = ("arn",)
    taggable = True

    def create(self, session: Session, inputs: Properties) -> tuple[str, Properties]:
        options = {"ThumbprintList": inputs["thumbprintLists"]} if inputs.get("thumbprintLists") else {}
        made = session.client("iam").create_open_id_connect_provider(
            Url=inputs["url"],
            ClientIDList=inputs["clientIdLists"],
            Tags=tag_list(inputs.get("tagsAll")),
            **options,
        )
        arn = made["OpenIDConnectProviderArn"]
        return arn, self._outputs(session, arn, inputs)

    def update(self, session: Session, id: str, known: Properties, inputs: Properties) -> Properties:
        iam = session.client("iam")
        before, after = set(known.get("clientIdLists") or ()), set(inputs["clientIdLists"])
        for client in sorted(after - before):
            iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=id, ClientID=client)
        for client in sorted(before - after):
            iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=id, ClientID=client)
        thumbprints = inputs.get("thumbprintLists")
        if thumbprints and thumbprints != known.get("thumbprintLists"):
            iam.update_open_id_connect_provider_thumbprint(
                OpenIDConnectProviderArn=id, ThumbprintList=thumbprints
            )
        retag(
            inputs,
            known,
            iam.tag_open_id_connect_provider,
            iam.untag_open_id_connect_provider,
            OpenIDConnectProviderArn=id,
        )
        return self._outputs(session, id, inputs)

    def delete(self, session: Session, id: str, known: Properties) -> None:
        try:
            session.client("iam").delete_open_id_connect_provider(OpenIDConnectProviderArn=id)
        except ClientError as error:
            if code_of(error) != _GONE:
                raise

    @staticmethod
    def _outputs(session: Session, id: str, known: Properties) -> Properties:
        found = session.client("iam").get_open_id_connect_provider(OpenIDConnectProviderArn=id)
        url = found["Url"]
        return {
            "arn": id,
            "clientIdLists": _ordered(found.get("ClientIDList"), known.get("clientIdLists")),
            "thumbprintLists": _ordered(found.get("ThumbprintList"), known.get("thumbprintLists")),
            # AWS leaves the scheme out of what it returns.
            "url": url if url.startswith("https://") else f"https://{url}",
            **own_tags(tag_map(found.get("Tags")), known, session),
        }


def _ordered(found: list[str] | None, stated: Any) -> list[str]:
    """A set that AWS returns in any order, in the order in which it was stated."""
    items = set(found or ())
    kept = [item for item in stated or () if item in items]
    return [*kept, *sorted(items - set(kept))]


def _age(version: dict[str, Any]) -> int:
    return int(version["VersionId"].removeprefix("v"))
