"""MA430 to MA459: what a look at live clusters finds (docs/verifying-clusters.md)."""

from __future__ import annotations

from typing import Final

from madeploy.findings.codes.code import Code

_CONNECTION: Final[dict[str, Code]] = {
    "MA430": Code(
        "API server whose host name does not resolve",
        "Without an address nothing can be sent to the cluster.",
        "Correct the host name, or the DNS record it should have.",
    ),
    "MA431": Code(
        "API server at whose port nothing listens",
        "The machine answers and refuses the connection: the port is wrong or the API server is down.",
        "Give the port the API server listens at; most clusters use 443 or 6443.",
    ),
    "MA432": Code(
        "API server that does not answer in time",
        "Packets get lost on the way, or the API server is stuck: the platform would wait for it, job "
        "by job.",
        "Open the way to the API server in firewalls and security groups; if it is open, look at its load.",
    ),
    "MA433": Code(
        "API server that ends connections",
        "Something between here and there (a load balancer, a proxy, a firewall) hangs up.",
        "Look at what stands before the API server; it has to pass TLS through unchanged.",
    ),
    "MA434": Code(
        "API server that the given authority does not vouch for",
        "Either the authority is another cluster's or has been renewed, or somebody else answers.",
        "Give the authority that signed the API server's certificate.",
    ),
    "MA435": Code(
        "API server whose certificate is for another name",
        "The platform compares the certificate with the host it dials, and has no setting for another name.",
        "Give the host name or address that the certificate is made for.",
    ),
    "MA436": Code(
        "API server that speaks no TLS",
        "What listens there is not an API server, or asks for a client certificate, which the platform "
        "lacks.",
        "Give the address and port of the API server itself.",
    ),
    "MA454": Code(
        "API server that asks for fewer requests",
        "It answers 429 after several attempts: jobs on this cluster will be slow or fail.",
        "Find who sends so much (metric apiserver_flowcontrol_rejected_requests_total), then try again.",
    ),
    "MA455": Code(
        "API server that fails",
        "It answers with an error of its own after several attempts.",
        "Look at the API server's and etcd's health, then try again.",
    ),
}

_CREDENTIAL: Final[dict[str, Code]] = {
    "MA437": Code(
        "Credential that the API server does not accept",
        "Every job on this cluster fails to be created and to be watched.",
        "Give the cluster a new credential: bin/madeploy clusters rotate NAME --stack STACK",
    ),
    "MA438": Code(
        "Credential that has expired",
        "Every job on this cluster fails to be created and to be watched.",
        "Give the cluster a new credential: bin/madeploy clusters rotate NAME --stack STACK",
    ),
    "MA439": Code(
        "Credential that is not valid yet by the API server's clock",
        "A clock is wrong: tokens are dated by one machine and judged by another.",
        "Set the clocks by NTP, then give the cluster a new credential.",
    ),
    "MA440": Code(
        "Registered token that is none",
        "The platform takes whatever the Secret holds: from an empty value it makes calls as nobody, from "
        "one with a line end calls that cannot be sent.",
        "Write the token anew: pulumi up --refresh --stack STACK",
    ),
    "MA441": Code(
        "Credential missing on the control plane",
        "The controller manager reads both Secrets from namespace `default`, and from nowhere else.",
        "Write it anew: pulumi up --refresh --stack STACK",
    ),
    "MA442": Code(
        "Registered authority that is none",
        "With an empty one the platform trusts the public authorities of its image instead; with anything "
        "else it cannot connect.",
        "Write the authority anew: pulumi up --refresh --stack STACK",
    ),
    "MA443": Code(
        "Right that the registered credential lacks",
        "The platform finds out at the first job that needs it.",
        "Restore the ClusterRole and its binding: pulumi up --refresh --stack STACK",
    ),
    "MA444": Code(
        "Registered credential of somebody else",
        "It is accepted, but it is not the account whose rights were set up for the platform.",
        "Register the token of ServiceAccount default/ray-manager: pulumi up --refresh --stack STACK",
    ),
    "MA456": Code(
        "Token Secret that never gets its token",
        "Without a token the cluster cannot be registered; nothing would tell the platform so.",
        "Look at the ServiceAccount, the Secret's annotation and the token controller, in this order.",
    ),
}

_REGISTRATION: Final[dict[str, Code]] = {
    "MA445": Code(
        "Storage configuration that is missing or different",
        "Task pods read their object store from it: they would fail to start, or use another store.",
        "Write it anew: pulumi up --refresh --stack STACK",
    ),
    "MA446": Code(
        "KubeRay's definitions missing",
        "The platform creates RayClusters and RayJobs of ray.io/v1; without definitions it cannot.",
        "Install KubeRay on the compute cluster.",
    ),
    "MA447": Code(
        "KubeRay's operator not available",
        "RayClusters would be accepted and then wait for ever: the operator makes their pods.",
        "Install or repair the operator in namespace ray-system.",
    ),
    "MA448": Code(
        "Context that leads to another cluster",
        "What was set up on one cluster would be registered with the address of another.",
        "Name the right context, then: pulumi up --stack STACK",
    ),
    "MA449": Code(
        "Cluster that is not registered as the stack says",
        "The platform knows no such cluster, or dials another address than the stack file names.",
        "pulumi up --refresh --stack STACK",
    ),
    "MA450": Code(
        "Cluster that the platform has not reported ready",
        "The controller manager asks each cluster every 30 s; it has not, or was not told `ok`.",
        "Look at the controller manager: does it run, and may it reach the cluster?",
    ),
    "MA451": Code(
        "Cluster whose proof of health is old",
        "The condition stays true when the controller manager loses the cluster, so its age is what counts.",
        "Roll the controller manager: it keeps the credential it started with.",
    ),
    "MA452": Code(
        "Cluster that waits to be deleted",
        "Only a running controller manager takes its finalizer away.",
        "Start the controller manager; the deletion then ends by itself.",
    ),
    "MA453": Code(
        "Namespace that is being deleted",
        "Nothing can be created in it any more, and it does not come back by itself.",
        "Let the deletion end, then create the namespace and what was in it again.",
    ),
    "MA457": Code(
        "Object store that cannot be reached from here",
        "Task pods read and write everything there. This was asked from this machine, not from a pod.",
        "Correct storage.endpoint, or open the way to it.",
        "warning",
    ),
    "MA458": Code(
        "RayCluster that may not be created",
        "The first job would be refused in the same way.",
        "Remove what refuses it: an admission webhook, a policy, a quota of namespace default.",
    ),
    "MA459": Code(
        "Address that is registered twice",
        "The controller manager keeps one client per host and port: both clusters are used with the "
        "credential of whichever came first.",
        "Remove one of the two registrations, then roll the controller manager.",
    ),
}

VERIFICATION: Final[dict[str, Code]] = dict(sorted({**_CONNECTION, **_CREDENTIAL, **_REGISTRATION}.items()))
"""All of them by number."""
