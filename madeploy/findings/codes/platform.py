"""MA3xx storage and IAM, MA4xx clusters, MA5xx security."""

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
        "S3 bucket names are global; these have belonged to somebody else for years.",
        "Choose a name with your organisation's own prefix, and set spec.workspaceRootDir and "
        "UF_STORAGE_URL in your projects.",
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
        "Serving at this generation reads models from the bucket `deploy-models` only.",
        "Serve from a store where that name can be had, or know that serving needs a patched image.",
        "warning",
    ),
    "MA306": Code(
        "ARN of another region or partition",
        "Keys are regional, and partitions share nothing: every call that needs it would be refused.",
        "Give the ARN in the region of the buckets.",
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
}

CLUSTERS: Final[dict[str, Code]] = {
    "MA401": Code(
        "Two clusters on one API server",
        "The controller manager keeps one client per host and port: the second cluster would be used with "
        "the first one's credentials.",
        "Register each API server once.",
    ),
    "MA402": Code(
        "Cluster without a way to reach it",
        "Registering it needs its kubeconfig once, to make the service account the platform uses.",
        "Set kubeconfigContext, or store its kubeconfig encrypted.",
    ),
    "MA403": Code(
        "Reserved cluster name",
        "The name stands for the control plane itself.",
        "Choose another name.",
    ),
    "MA404": Code(
        "Kubeconfig of a cluster that is not there",
        "A credential that nothing uses can only leak; more often the name is misspelt.",
        "Correct the name, or remove the secret.",
    ),
    "MA405": Code(
        "Name that becomes too long",
        "Kubernetes limits names to 253 characters and label values to 63.",
        "Choose a shorter name.",
    ),
    "MA407": Code(
        "Context of a local kubeconfig in production",
        "What it points at depends on the machine that deploys; two people can deploy to two clusters.",
        "Store the kubeconfig encrypted with the stack instead.",
        "warning",
    ),
    "MA408": Code(
        "Two clusters with one kubeconfig context",
        "Both entries would administer the same cluster.",
        "Give each cluster its own context.",
    ),
    "MA409": Code(
        "Address that the control plane cannot use",
        "The platform joins host and port and sends no token over plain HTTP; loopback is the pod itself.",
        "Give the address as the control plane's pods reach it.",
    ),
}

SECURITY: Final[dict[str, Code]] = {
    "MA501": Code(
        "Secret in plain text",
        "Whoever reads the repository, now or in its history, has the credential.",
        "Encrypt it, and replace the credential: it is no longer secret.",
    ),
    "MA502": Code(
        "Value that looks like a secret in a plain setting",
        "Settings are shown, rendered and logged; whoever reads the repository has the credential.",
        "Take it out, and replace the credential: it is no longer secret.",
    ),
    "MA503": Code(
        "Encrypted value that cannot be decrypted",
        "Pulumi writes encrypted values itself; this one is empty or was typed in.",
        "Set it again with `pulumi config set --secret`.",
    ),
}
