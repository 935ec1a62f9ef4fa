"""MA30x to MA33x: storage and IAM."""

from __future__ import annotations

from typing import Final

from madeploy.findings.codes.code import Code

STORAGE: Final[dict[str, Code]] = {
    "MA301": Code(
        "Bucket name that S3 refuses",
        "S3 would refuse to create the bucket, after part of the deployment.",
        "Follow S3's rules: 3 to 63 lower-case letters, digits, dots and hyphens.",
    ),
    "MA302": Code(
        "Bucket name that is taken on AWS",
        "S3 bucket names are global; these have belonged to somebody else for years. Neither can an alias of "
        "an access point stand in for them: AWS chooses its name.",
        "Choose a name with your organisation's own prefix, and set spec.workspaceRootDir and UF_STORAGE_URL "
        "in your projects; serving, which reads `deploy-models` only, needs an S3-compatible store "
        "(storage.kind s3Compatible) or images that are patched: docs/object-store.md.",
    ),
    "MA303": Code(
        "One bucket for two purposes",
        "Lifecycle rules and rights of one purpose would apply to the other's data.",
        "Give each purpose a bucket of its own.",
    ),
    "MA304": Code(
        "Bucket name with a dot",
        "The certificate of S3's wildcard host names does not cover it, so HTTPS calls fail.",
        "Use hyphens in place of dots, or pathStyle.",
    ),
    "MA305": Code(
        "Bucket name the platform's code does not use",
        "Serving in these releases reads models from the bucket `deploy-models` only.",
        "Serve from a store where that name can be had, or know that serving needs a patched image.",
        "warning",
    ),
    "MA306": Code(
        "ARN of another region or partition",
        "Keys are regional, and partitions share nothing: every call that needs it would be refused.",
        "Give the ARN in the region of the buckets.",
    ),
    "MA307": Code(
        "Region that AWS does not list",
        "The list is botocore's. Nothing answers in a region that does not exist, and its partition can only "
        "be guessed.",
        "Correct it.",
        "warning",
    ),
    "MA310": Code(
        "Static credentials over plain HTTP",
        "Requests and data could be read and changed on the way to the store.",
        "Use an https:// endpoint.",
    ),
    "MA311": Code(
        "Credentials of the object store missing",
        "The services would start without credentials and fail at the first object.",
        "Set both keys from standard input:\n"
        "pulumi config set --secret --path 'michelangelo:objectStore.accessKeyId' --stack STACK\n"
        "pulumi config set --secret --path 'michelangelo:objectStore.secretAccessKey' --stack STACK\n"
        "or name an existing Secret in storage.credentialsSecret.",
    ),
    "MA312": Code(
        "Credentials that nothing uses",
        "A secret that is not needed can only leak.",
        "Remove it: pulumi config rm --path 'michelangelo:objectStore' --stack STACK",
        "warning",
    ),
    "MA313": Code(
        "Production buckets without protection",
        "`pulumi destroy` would delete every model and workspace in them.",
        "Set storage.protect to true.",
        "warning",
    ),
    "MA315": Code(
        "Identities without a role",
        "A pod without a role reaches no bucket.",
        "Add the role's ARN to storage.roleArns.",
        "warning",
    ),
    "MA320": Code(
        "Two keys for one store",
        "storage.kmsKeyArn names a key that exists, storage.kmsKey makes one; buckets have one key.",
        "Remove one of the two.",
    ),
    "MA321": Code(
        "Forced deletion of protected buckets",
        "The one setting says that buckets are never deleted, the other that their objects go with them.",
        "Remove storage.forceDestroy; to give the data up for good, set storage.protect to false.",
    ),
    "MA322": Code(
        "Deletion that Object Lock holds up",
        "A locked version stays until its lock ends: what removes it earlier has no effect, silently, and "
        "the storage is paid for.",
        "Make the lock no longer than the time objects are kept, or expect them to stay as long as it.",
        "warning",
    ),
    "MA323": Code(
        "Lifecycle rule that S3 refuses",
        "S3 refuses the whole configuration of the bucket, after part of the deployment.",
        "Give each prefix one rule with an action, and each storage class one transition: infrequent access "
        "after 30 days at the earliest and for 30 days at least, STANDARD_IA before the others, ONEZONE_IA "
        "or GLACIER_IR last; expiry after the last transition.",
    ),
    "MA324": Code(
        "Lifecycle rule without effect",
        "Where rules overlap the shortest time wins, and versions of the whole bucket go earlier.",
        "Raise storage.noncurrentDays, or leave noncurrentDays out of the rule.",
        "warning",
    ),
    "MA325": Code(
        "Logs in a bucket that is for something else",
        "Access logs in a bucket they tell of would be logged again, without end; locked ones take none.",
        "Give storage.accessLogs and storage.auditLogs buckets of their own.",
    ),
    "MA326": Code(
        "ARN of another account",
        "Roles and OIDC providers belong to one account; a role cannot trust another account's provider.",
        "Give the ARN in the account of the buckets, which is that of the credentials that deploy.",
    ),
    "MA327": Code(
        "Task pods without AWS credentials",
        "They write workspaces and model artefacts; without a role of their own they depend on what the "
        "nodes may do, or fail at the first object.",
        "Set clusters.<name>.taskIdentity: irsa, podIdentity, or an existing role.",
        "warning",
    ),
    "MA328": Code(
        "Task identity that cannot be had from this store",
        "Roles are made with buckets on AWS only; existing buckets come with existing roles, other stores "
        "with static keys.",
        "Use kind role with storage.kind existing, none with s3Compatible; or set storage.kind to aws.",
    ),
    "MA329": Code(
        "Two compute clusters with one identity provider",
        "Task pods have the same ServiceAccount on every cluster: each could take the other's role, and EKS "
        "keeps one association for it.",
        "Give each cluster its own OIDC provider, or EKS cluster.",
    ),
    "MA330": Code(
        "Production buckets that are emptied with their stack",
        "`pulumi destroy`, or renaming a bucket, deletes every model and version without another question.",
        "Set storage.forceDestroy for the one run that gives the data up, and remove it again.",
        "warning",
    ),
    "MA331": Code(
        "Storage that is paid for longer than it is used",
        "A storage class has a minimum storage duration, 30 days for infrequent access and 90 for Glacier "
        "Instant Retrieval: what leaves earlier is paid to its end, which can cost more than no transition.",
        "Move objects later or to INTELLIGENT_TIERING, keep them longer, or leave the transition out.",
        "warning",
    ),
    "MA332": Code(
        "Tag that is both set and ignored",
        "The provider leaves ignored tags alone: the tag would never be written, or never be found again.",
        "Take it out of storage.ignoreTags, or out of storage.tags.",
    ),
    "MA333": Code(
        "Buckets that lose their data when they are renamed",
        "A new name, or another region, makes a new, empty bucket: nothing is copied. Protected, the old one "
        "is neither replaced nor deleted; unprotected, it is deleted once it is empty, and with forceDestroy "
        "at once, with every object in it.",
        "Set storage.protect to true for as long as the data counts. `bin/madeploy plan STACK` says what a "
        "rename does, and docs/object-store.md how one is done.",
        "info",
    ),
}
