"""Controls that no setting decides: the toolkit's objects show them, or people do."""

from __future__ import annotations

from typing import Final

from madeploy.rules.controls import Control, Manual

# What the toolkit's objects show whatever the settings say: the policies look at them.
OF_OBJECTS: Final = (
    Control(
        "pods-restricted",
        "Pods run without privileges",
        {"soc2": "CC6.8", "hipaa": "164.312(a)(1)"},
        (),
        ("Deployment", "Namespace"),
        ("MA510", "MA511", "MA512", "MA513", "MA514", "MA515", "MA516", "MA517", "MA518"),
    ),
    Control(
        "least-privilege",
        "Rights that are needed, and no others",
        {"soc2": "CC6.3", "gdpr": "Art. 25(2)", "hipaa": "164.312(a)(1)"},
        ("storage.serviceAccess",),
        ("Role", "ClusterRole", "aws:iam/rolePolicy"),
        ("MA530", "MA531", "MA533", "MA534", "MA535", "MA550", "MA551", "MA552", "MA555", "MA556"),
    ),
    Control(
        "secrets-kept",
        "Secrets where secrets belong",
        {"soc2": "CC6.1", "hipaa": "164.312(a)(1)"},
        (),
        ("ConfigMap", "Deployment", "Secret"),
        ("MA570", "MA571", "MA572", "MA573", "MA574"),
    ),
    Control(
        "images-pinned",
        "What runs is what was released",
        {"soc2": "CC8.1"},
        ("images.tag", "controlPlane.*.image"),
        ("Deployment",),
        ("MA520", "MA521"),
    ),
)


MANUAL: Final = (
    Manual(
        "second-factor",
        "Sign-in with a second factor",
        {"soc2": "CC6.1", "gdpr": "Art. 32(1)(b)", "hipaa": "164.312(d)"},
        "the identity provider's configuration",
    ),
    Manual(
        "api-callers",
        "Callers from trusted networks known",
        {"soc2": "CC6.1", "hipaa": "164.312(d)"},
        "who is in access.api.trustedCidrs, whose callers are asked for no token, and what tells them apart",
    ),
    Manual(
        "access-reviews",
        "Access reviewed, and taken away when people leave",
        {"soc2": "CC6.2", "hipaa": "164.308(a)(3)"},
        "dated lists of who has access, with who looked at them",
    ),
    Manual(
        "log-shipping",
        "Audit logs shipped to the locked bucket",
        {"soc2": "CC7.2", "hipaa": "164.312(b)"},
        "the configuration of what ships the logs of the Kubernetes API and the front door, and objects of "
        "every month in the bucket",
    ),
    Manual(
        "no-personal-data-in-logs",
        "No personal data in logs",
        {"gdpr": "Art. 5(1)(c)", "hipaa": "164.502(b)"},
        "a look into the logs: the API server writes the bodies of requests",
    ),
    Manual(
        "incident-response",
        "Incidents handled and recorded",
        {"soc2": "CC7.4", "hipaa": "164.308(a)(6)"},
        "the plan, and the records of its exercises",
    ),
    Manual(
        "breach-notice",
        "Breaches reported in time",
        {"gdpr": "Art. 33: 72 hours", "hipaa": "164.404: 60 days"},
        "the procedure, with names and addresses",
    ),
    Manual(
        "contracts",
        "Contracts with everybody who processes the data",
        {"gdpr": "Art. 28", "hipaa": "164.308(b)(1)"},
        "signed data processing or business associate agreements, the cloud's own among them",
    ),
    Manual(
        "rights-of-persons",
        "Erasure and portability on request",
        {"gdpr": "Art. 17 and 20"},
        "the procedure, and its records; versions of objects outlive a deletion by storage.noncurrentDays",
    ),
    Manual(
        "records-of-processing",
        "Records of processing activities",
        {"gdpr": "Art. 30"},
        "the record, with this platform in it",
    ),
    Manual(
        "risk-assessment",
        "Risks assessed every year",
        {"soc2": "CC3.2", "hipaa": "164.308(a)(1)(ii)(A)"},
        "the last assessment, dated",
    ),
    Manual(
        "training", "People trained", {"soc2": "CC1.4", "hipaa": "164.308(a)(5)"}, "records of attendance"
    ),
    Manual(
        "encryption-inside",
        "Encryption between services inside the cluster",
        {"hipaa": "164.312(e)(1)"},
        "the mesh's or the network plugin's configuration: the API server listens in plaintext inside the "
        "cluster, and no release changes that",
    ),
)
"""What no software shows."""
