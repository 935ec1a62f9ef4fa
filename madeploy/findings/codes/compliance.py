"""MA7xx: controls of compliance frameworks."""

from __future__ import annotations

from typing import Final

from madeploy.findings.codes.code import Code

COMPLIANCE: Final[dict[str, Code]] = {
    "MA701": Code(
        "Control: data encrypted at rest",
        "Whoever gets hold of a disk or a copy reads the data; with a key of the store's own, so does "
        "whoever may read the bucket.",
        "Use storage.kind aws, which encrypts every bucket; for HIPAA with storage.kmsKey: {} or kmsKeyArn.",
    ),
    "MA702": Code(
        "Control: data encrypted in transit",
        "Whoever is on the network path reads the data.",
        "Set what the finding names: an https:// endpoint, workflow.tls, tls.envoy.enabled.",
    ),
    "MA703": Code(
        "Control: data stays in its regions",
        "A transfer to another jurisdiction needs a basis of its own (GDPR, chapter V).",
        "Name the regions in compliance.regions, and keep every store and cluster in one of them.",
    ),
    "MA704": Code(
        "Control: data is not kept longer than needed",
        "Personal data may be kept no longer than its purpose needs (GDPR, Art. 5(1)(e)).",
        "Set modelRegistry.retentionDays, and storage.lifecycle rules with expireDays for the other buckets.",
    ),
    "MA705": Code(
        "Control: access to data is logged",
        "Without a log nobody can tell who read what, and the platform's own services write none.",
        "Set storage.accessLogs with a bucket made here and expireDays of the framework's retention.",
    ),
    "MA706": Code(
        "Control: audit logs cannot be altered",
        "Whoever wants to hide something deletes its log.",
        "Set storage.auditLogs, a bucket with Object Lock, and have the logs of the Kubernetes API and the "
        "front door shipped to it.",
    ),
    "MA707": Code(
        "Control: the service survives the loss of a node",
        "One node's failure interrupts the service.",
        "Set replicas to 2 or more, and controlPlane.controllermgr.leaderElection to true.",
    ),
    "MA708": Code(
        "Control: the network admits what is needed, and nothing else",
        "Whatever gets hold of one pod reaches everything.",
        "Set network.policies to true.",
    ),
    "MA709": Code(
        "Control: no static keys",
        "A key that never ends is copied, and works from anywhere.",
        "Use roles: storage.kind aws, or existing with roleArns, and no rayLogs, whose collector takes keys.",
    ),
    "MA710": Code(
        "Control: credentials are rotated",
        "A credential that was copied once works until somebody replaces it.",
        "Rotate to bounded credentials with `bin/madeploy clusters rotate --kind bounded`; let keys turn "
        "once a year.",
    ),
    "MA711": Code(
        "Control: the service is watched",
        "A failure or an attack that nobody is told of goes on.",
        "Set michelangelo:monitoring, with its alerts on.",
    ),
    "MA712": Code(
        "Control: people sign in",
        "The platform authenticates nobody: without authentication in front, whoever reaches the host may do "
        "everything, and nobody can tell who it was.",
        "Set access.browser with your identity provider, and access.api to guarded.",
    ),
}
