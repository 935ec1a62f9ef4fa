"""Buckets and the settings that AWS keeps beside them, each a resource type of its own."""

from __future__ import annotations

from typing import Any, ClassVar

from botocore.exceptions import ClientError

from madeploy.sandbox.plugins.aws.resource import (
    ResourceType,
    Session,
    code_of,
    document,
    own_tags,
    tag_list,
    tag_map,
)
from madeploy.sandbox.plugins.properties import Properties
from madeploy.sandbox.plugins.server import PluginError

_GONE = frozenset({"404", "NoSuchBucket", "NoSuchKey"})
_EMPTYINGS = 10


class Bucket(ResourceType):
    token = "aws:s3/bucket:Bucket"
    optional = ("bucket", "bucketPrefix", "forceDestroy", "objectLockEnabled", "region")
    replaces = frozenset({"bucket", "bucketPrefix", "objectLockEnabled", "region"})
    computed = ("arn", "bucketDomainName", "bucketRegion", "bucketRegionalDomainName")
    named_by = "bucket"
    taggable = True

    def create(self, session: Session, inputs: Properties) -> tuple[str, Properties]:
        name, region = inputs["bucket"], inputs.get("region") or session.region
        s3 = session.client("s3", region)
        # In us-east-1 AWS reports success for a bucket that one has already.
        if self._exists(s3, name):
            raise PluginError(f"creating S3 Bucket ({name}): BucketAlreadyExists: the bucket exists already")
        options: dict[str, Any] = {}
        if region != "us-east-1":
            options["CreateBucketConfiguration"] = {"LocationConstraint": region}
        if inputs.get("objectLockEnabled"):
            options["ObjectLockEnabledForBucket"] = True
        s3.create_bucket(Bucket=name, **options)
        self._tag(s3, name, inputs)
        return name, self._outputs(session, name, region, inputs)

    def read(self, session: Session, id: str, known: Properties) -> Properties | None:
        region = known.get("region") or session.region
        s3 = session.client("s3", region)
        if not self._exists(s3, id):
            return None
        try:
            tags = tag_map(s3.get_bucket_tagging(Bucket=id)["TagSet"])
        except ClientError as error:
            if code_of(error) != "NoSuchTagSet":
                raise
            tags = {}
        return {**self._outputs(session, id, region, known), **own_tags(tags, known, session)}

    def update(self, session: Session, id: str, known: Properties, inputs: Properties) -> Properties:
        region = known.get("region") or session.region
        self._tag(session.client("s3", region), id, inputs)
        return self._outputs(session, id, region, inputs)

    def delete(self, session: Session, id: str, known: Properties) -> None:
        s3 = session.client("s3", known.get("region"))
        # Objects may come while a bucket is emptied: access logs of the others, for one.
        for left in reversed(range(_EMPTYINGS if known.get("forceDestroy") else 1)):
            try:
                s3.delete_bucket(Bucket=id)
                return
            except ClientError as error:
                if code_of(error) in _GONE:
                    return
                if code_of(error) != "BucketNotEmpty" or not left:
                    raise
            self._empty(s3, id)

    @staticmethod
    def _empty(s3: Any, name: str) -> None:
        # The emulation is reached without TLS, which a bucket's policy may refuse.
        s3.delete_bucket_policy(Bucket=name)
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
            found = (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
            keys = [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in found]
            if keys:
                s3.delete_objects(Bucket=name, Delete={"Objects": keys, "Quiet": True})

    @staticmethod
    def _exists(s3: Any, name: str) -> bool:
        try:
            s3.head_bucket(Bucket=name)
        except ClientError as error:
            if code_of(error) in _GONE:
                return False
            raise
        return True

    @staticmethod
    def _tag(s3: Any, name: str, inputs: Properties) -> None:
        if tags := inputs.get("tagsAll"):
            s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tag_list(tags)})
        else:
            s3.delete_bucket_tagging(Bucket=name)

    @staticmethod
    def _outputs(session: Session, name: str, region: str, inputs: Properties) -> Properties:
        return {
            "bucket": name,
            "bucketPrefix": inputs.get("bucketPrefix") or "",
            "arn": f"arn:aws:s3:::{name}",
            "bucketDomainName": f"{name}.s3.amazonaws.com",
            "bucketRegion": region,
            "bucketRegionalDomainName": f"{name}.s3.{region}.amazonaws.com",
            "region": region,
            "forceDestroy": bool(inputs.get("forceDestroy", False)),
            "objectLockEnabled": bool(inputs.get("objectLockEnabled", False)),
            "requestPayer": "BucketOwner",
            "tags": inputs.get("tags"),
            "tagsAll": inputs.get("tagsAll") or dict(session.default_tags),
        }


class BucketSetting(ResourceType):
    """A setting of one bucket; its id is the bucket's name. Writing it is the same at first and later."""

    optional: ClassVar[tuple[str, ...]] = ("region",)
    replaces = frozenset({"bucket", "region"})
    missing: ClassVar[frozenset[str]] = frozenset()
    """Error codes that say that the bucket has no such setting."""

    def write(self, s3: Any, inputs: Properties) -> None:
        """Send the setting."""
        raise NotImplementedError

    def fetch(self, s3: Any, bucket: str) -> Properties | None:
        """The setting's outputs, or `None` where it is as if never made."""
        raise NotImplementedError

    def remove(self, s3: Any, bucket: str, known: Properties) -> None:
        """Take the setting back."""
        raise NotImplementedError

    def create(self, session: Session, inputs: Properties) -> tuple[str, Properties]:
        return str(inputs["bucket"]), self._written(session, inputs)

    def update(self, session: Session, id: str, known: Properties, inputs: Properties) -> Properties:
        return self._written(session, inputs)

    def read(self, session: Session, id: str, known: Properties) -> Properties | None:
        region = known.get("region") or session.region
        try:
            found = self.fetch(session.client("s3", region), id)
        except ClientError as error:
            if code_of(error) in self.missing | _GONE:
                return None
            raise
        return None if found is None else {**found, "bucket": id, "region": region}

    def delete(self, session: Session, id: str, known: Properties) -> None:
        try:
            self.remove(session.client("s3", known.get("region")), id, known)
        except ClientError as error:
            if code_of(error) not in self.missing | _GONE:
                raise

    def _written(self, session: Session, inputs: Properties) -> Properties:
        region = inputs.get("region") or session.region
        self.write(session.client("s3", region), inputs)
        return {**inputs, "region": region}


class BucketVersioning(BucketSetting):
    token = "aws:s3/bucketVersioning:BucketVersioning"
    required = ("bucket", "versioningConfiguration")

    def write(self, s3: Any, inputs: Properties) -> None:
        status = inputs["versioningConfiguration"]["status"]
        if status != "Disabled":
            s3.put_bucket_versioning(Bucket=inputs["bucket"], VersioningConfiguration={"Status": status})

    def fetch(self, s3: Any, bucket: str) -> Properties | None:
        found = s3.get_bucket_versioning(Bucket=bucket)
        return {"versioningConfiguration": {"status": found.get("Status", "Disabled")}}

    def remove(self, s3: Any, bucket: str, known: Properties) -> None:
        # What was versioned once cannot be made as if it never was.
        if known.get("versioningConfiguration", {}).get("status") == "Enabled":
            s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})


class BucketServerSideEncryptionConfiguration(BucketSetting):
    token = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    required = ("bucket", "rules")
    missing = frozenset({"ServerSideEncryptionConfigurationNotFoundError"})

    def write(self, s3: Any, inputs: Properties) -> None:
        rules = []
        for rule in inputs["rules"]:
            sent: dict[str, Any] = {"BucketKeyEnabled": bool(rule.get("bucketKeyEnabled", False))}
            if applied := rule.get("applyServerSideEncryptionByDefault"):
                sent["ApplyServerSideEncryptionByDefault"] = {"SSEAlgorithm": applied["sseAlgorithm"]}
                if key := applied.get("kmsMasterKeyId"):
                    sent["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] = key
            rules.append(sent)
        s3.put_bucket_encryption(Bucket=inputs["bucket"], ServerSideEncryptionConfiguration={"Rules": rules})

    def fetch(self, s3: Any, bucket: str) -> Properties | None:
        found = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        rules = []
        for rule in found:
            applied = rule.get("ApplyServerSideEncryptionByDefault", {})
            rules.append(
                {
                    "applyServerSideEncryptionByDefault": {
                        "sseAlgorithm": applied.get("SSEAlgorithm"),
                        **({"kmsMasterKeyId": key} if (key := applied.get("KMSMasterKeyID")) else {}),
                    },
                    "bucketKeyEnabled": bool(rule.get("BucketKeyEnabled", False)),
                }
            )
        return {"rules": rules}

    def remove(self, s3: Any, bucket: str, known: Properties) -> None:
        s3.delete_bucket_encryption(Bucket=bucket)


class BucketPublicAccessBlock(BucketSetting):
    token = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
    required = ("bucket",)
    flags = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    optional = (*flags, "region")
    missing = frozenset({"NoSuchPublicAccessBlockConfiguration"})

    def write(self, s3: Any, inputs: Properties) -> None:
        sent = {flag[0].upper() + flag[1:]: bool(inputs.get(flag, False)) for flag in self.flags}
        s3.put_public_access_block(Bucket=inputs["bucket"], PublicAccessBlockConfiguration=sent)

    def fetch(self, s3: Any, bucket: str) -> Properties | None:
        found = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        return {flag: bool(found.get(flag[0].upper() + flag[1:], False)) for flag in self.flags}

    def remove(self, s3: Any, bucket: str, known: Properties) -> None:
        s3.delete_public_access_block(Bucket=bucket)


class BucketOwnershipControls(BucketSetting):
    token = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
    required = ("bucket", "rule")
    missing = frozenset({"OwnershipControlsNotFoundError"})

    def write(self, s3: Any, inputs: Properties) -> None:
        rule = {"ObjectOwnership": inputs["rule"]["objectOwnership"]}
        s3.put_bucket_ownership_controls(Bucket=inputs["bucket"], OwnershipControls={"Rules": [rule]})

    def fetch(self, s3: Any, bucket: str) -> Properties | None:
        rules = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
        return {"rule": {"objectOwnership": rules[0]["ObjectOwnership"]}} if rules else None

    def remove(self, s3: Any, bucket: str, known: Properties) -> None:
        s3.delete_bucket_ownership_controls(Bucket=bucket)


class BucketPolicy(BucketSetting):
    token = "aws:s3/bucketPolicy:BucketPolicy"
    required = ("bucket", "policy")
    documents = frozenset({"policy"})
    missing = frozenset({"NoSuchBucketPolicy"})

    def write(self, s3: Any, inputs: Properties) -> None:
        s3.put_bucket_policy(Bucket=inputs["bucket"], Policy=document(inputs["policy"]))

    def fetch(self, s3: Any, bucket: str) -> Properties | None:
        return {"policy": document(s3.get_bucket_policy(Bucket=bucket)["Policy"])}

    def remove(self, s3: Any, bucket: str, known: Properties) -> None:
        s3.delete_bucket_policy(Bucket=bucket)


class BucketLogging(BucketSetting):
    token = "aws:s3/bucketLogging:BucketLogging"
    required = ("bucket", "targetBucket", "targetPrefix")

    def write(self, s3: Any, inputs: Properties) -> None:
        target = {"TargetBucket": inputs["targetBucket"], "TargetPrefix": inputs["targetPrefix"]}
        s3.put_bucket_logging(Bucket=inputs["bucket"], BucketLoggingStatus={"LoggingEnabled": target})

    def fetch(self, s3: Any, bucket: str) -> Properties | None:
        found = s3.get_bucket_logging(Bucket=bucket).get("LoggingEnabled")
        return (
            {"targetBucket": found["TargetBucket"], "targetPrefix": found["TargetPrefix"]} if found else None
        )

    def remove(self, s3: Any, bucket: str, known: Properties) -> None:
        s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={})


class BucketObjectLockConfiguration(BucketSetting):
    token = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"
    required = ("bucket", "rule")
    missing = frozenset({"ObjectLockConfigurationNotFoundError"})

    def write(self, s3: Any, inputs: Properties) -> None:
        retention = inputs["rule"]["defaultRetention"]
        rule = {"DefaultRetention": {"Mode": retention["mode"], "Days": int(retention["days"])}}
        self._put(s3, inputs["bucket"], {"Rule": rule})

    def fetch(self, s3: Any, bucket: str) -> Properties | None:
        found = s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"].get("Rule")
        if not found:
            return None
        retention = found["DefaultRetention"]
        return {"rule": {"defaultRetention": {"mode": retention["Mode"], "days": retention["Days"]}}}

    def remove(self, s3: Any, bucket: str, known: Properties) -> None:
        # The ability to lock stays with a bucket for good; only the default retention goes.
        self._put(s3, bucket, {})

    @staticmethod
    def _put(s3: Any, bucket: str, configuration: dict[str, Any]) -> None:
        enabled = {"ObjectLockEnabled": "Enabled", **configuration}
        s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=enabled)
