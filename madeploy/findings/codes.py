"""Every code there is, in one place: title, severity, why it matters, what to do.

MA1xx configuration, MA2xx network and TLS, MA3xx storage and IAM, MA4xx clusters, MA5xx security,
MA6xx observability, MA7xx compliance, MA8xx upgrades. A code keeps its meaning for good; one that is
no longer used is not given to anything else. `docs/findings.md` is generated from this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True)
class Code:
    """What all findings of one code have in common."""

    title: str
    """One line, true of every finding of the code."""

    why: str
    """Why it matters, for findings that say nothing more particular."""

    fix: str
    """What to do, for findings that say nothing more particular."""

    severity: Literal["error", "warning", "info"] = "error"
    """Severity unless the finding says otherwise."""


FILE: Final[dict[str, Code]] = {
    "MA101": Code(
        "File cannot be read",
        "An environment is what its stack file says; without it there is nothing to check or deploy.",
        "Name an existing stack file, or write one with `bin/madeploy init ENV`.",
    ),
    "MA102": Code(
        "File is not UTF-8 text",
        "Pulumi and every other reader of the file expect UTF-8.",
        "Save the file as UTF-8.",
    ),
    "MA103": Code(
        "File is larger than any environment",
        "Reading it would take memory and time that no environment of a thousand clusters needs.",
        "Look for data that does not belong in a stack file, such as logs or binary content.",
    ),
    "MA104": Code(
        "YAML syntax",
        "Nothing after this place can be read, so only this error can be shown.",
        "Correct the line; an editor with the YAML language server shows the place as you type.",
    ),
    "MA105": Code(
        "YAML nested or repeated beyond reason",
        "Deep nesting and aliases that multiply are how a small file exhausts memory.",
        "Write the values out; settings are at most a dozen levels deep.",
    ),
    "MA106": Code(
        "YAML feature that a stack file does not use",
        "Readers of YAML disagree about it, so Pulumi and the checks could see different values.",
        "Write plain mappings, lists, text, numbers, true and false.",
    ),
    "MA107": Code(
        "Key given twice",
        "One of the two would silently win.",
        "Keep one of them.",
    ),
    "MA108": Code(
        "Not a Pulumi stack file",
        "Pulumi reads configuration from the mapping below `config:`.",
        "Start with `config:` and indent the sections below it; `bin/madeploy init ENV` writes such a file.",
    ),
    "MA109": Code(
        "Unknown key beside `config`",
        "Pulumi ignores it, so what it says never takes effect.",
        "Put settings below `config:`, each as `michelangelo:<section>`.",
    ),
}

SHAPE: Final[dict[str, Code]] = {
    "MA110": Code(
        "Unknown setting",
        "A setting nobody reads would look as if it were in force.",
        "Remove it, or write the setting that was meant; `bin/madeploy explain KEY` describes each.",
    ),
    "MA111": Code(
        "Required setting missing",
        "It has no default that could be right for every environment.",
        "Add it; `bin/madeploy explain KEY` describes it.",
    ),
    "MA112": Code(
        "Wrong type of value",
        "The value would be read as something else than what was meant.",
        "Write a value of the accepted type.",
    ),
    "MA113": Code(
        "Value outside what is accepted",
        "Kubernetes, AWS or the platform would refuse it, some of them only after part of the deployment.",
        "Write a value of the accepted form.",
    ),
    "MA114": Code(
        "Value that is none of the choices",
        "Each choice deploys something different; no other is known.",
        "Write one of the accepted values.",
    ),
    "MA115": Code(
        "Variant of a section not chosen",
        "The section has several variants with different settings; this key chooses one.",
        "Add the key with one of the accepted values.",
    ),
    "MA116": Code(
        "Setting of another variant",
        "The chosen variant does not have this setting, so it could not take effect.",
        "Remove it, or choose the variant that has it.",
    ),
    "MA117": Code(
        "Encrypted value where settings are plain",
        "Settings are checked, rendered and shown; only the keys for secrets may hold encrypted values.",
        "Write the value in plain text, or move it to the secret key it belongs to.",
    ),
    "MA118": Code(
        "Values imported from elsewhere are not seen",
        "The stack imports a Pulumi ESC environment, which is read only when the engine runs.",
        "`pulumi preview` checks the whole configuration, imported values included.",
        "info",
    ),
    "MA119": Code(
        "More findings than are shown",
        "A file with this many usually has one cause, such as wrong indentation near its top.",
        "Mend those that are shown and check again.",
        "info",
    ),
}

SERVICES: Final[dict[str, Code]] = {
    "MA120": Code(
        "Service configuration key that the service does not read",
        "Services read their configuration strictly and stop at start-up on a key they do not know (V2).",
        "Remove it, or write the key that was meant.",
    ),
    "MA121": Code(
        "Service configuration value of the wrong form",
        "The service would stop at start-up, or read another value than was meant.",
        "Write a value of the accepted type and unit.",
    ),
    "MA122": Code(
        "Service configuration key that is derived from another setting",
        "The toolkit writes it from that setting, into every place that must agree; two owners would differ.",
        "Use the setting that owns it.",
    ),
    "MA123": Code(
        "Metadata storage turned on",
        "This generation starts no ingester: lists would come from an empty database and deletions would "
        "never be carried out; without a database the process stops.",
        "Leave metadataStorage.enableMetadataStorage false.",
    ),
    "MA124": Code(
        "CRD deletion or incompatible CRD changes turned on",
        "The API server would remove, or break, the definitions of objects that are in use.",
        "Leave it out, except for the duration of a planned migration.",
        "warning",
    ),
    "MA130": Code(
        "Several controller managers without leader election",
        "Each replica would reconcile every object, and jobs would be created twice.",
        "Set controlPlane.controllermgr.leaderElection to true, or replicas to 1.",
    ),
    "MA131": Code(
        "Production service with a single replica",
        "One node's loss or drain interrupts the service.",
        "Set replicas to 2 or more.",
        "warning",
    ),
    "MA132": Code(
        "Image without a version",
        "An image needs a tag or a digest; there is no default that stays right.",
        "Set images.tag for all platform images, or a tag or digest for the component.",
    ),
    "MA133": Code(
        "Floating image tag",
        "The tag names another image tomorrow: nodes of one Deployment run different code, and nothing "
        "can be rolled back to.",
        "Use a `sha-<commit>` tag, a release tag, or a digest.",
    ),
    "MA134": Code(
        "Pull policy that does not fit the image",
        "Nodes would keep an outdated image, or find none.",
        "Set images.pullPolicy to IfNotPresent for pinned tags, to Always for floating ones.",
        "warning",
    ),
    "MA135": Code(
        "Task list listed twice",
        "Two pollers of one queue in one worker share its work; the second only costs connections.",
        "List each queue once; `trigger_run`, `pipeline_run` and workflow.taskList are always polled.",
        "warning",
    ),
    "MA136": Code(
        "Workflow engine's port belongs to another protocol",
        "The client speaks one protocol and the port answers with another; the worker or the controller "
        "manager never connects.",
        "Use the port of the chosen engine and transport.",
        "warning",
    ),
    "MA137": Code(
        "TLS that the worker does not honour",
        "At this generation the worker ignores the setting for this engine or transport and connects "
        "without TLS, while the controller manager uses it.",
        "Reach the engine without TLS inside a trusted network, or through a proxy that adds it.",
    ),
    "MA138": Code(
        "Link template that does not parse",
        "The link to an execution would be missing or wrong in every pipeline run.",
        "Use {{.Domain}} and {{.ExecutionID}} and nothing else between double braces.",
    ),
}

NETWORK: Final[dict[str, Code]] = {
    "MA201": Code(
        "API and application on one host",
        "Both are served at `/` on port 443; one would hide the other.",
        "Give domains.api and domains.app two host names.",
    ),
    "MA202": Code(
        "Host name with look-alike characters",
        "A name that reads like another one but is not sends users, tokens and certificates elsewhere.",
        "Type the name in ASCII letters, or write its punycode form if it is meant.",
    ),
    "MA203": Code(
        "Plain HTTP origin",
        "Anybody on the network path can change that page and so act as its user towards the API.",
        "Use an https:// origin.",
        "warning",
    ),
    "MA204": Code(
        "Wildcard origin that covers other people's domains",
        "Everybody can register a name below a public suffix and would be allowed to call the API.",
        "Put the star below a domain of your own, such as https://*.example.com.",
    ),
    "MA205": Code(
        "Wildcard origins with credentials",
        "Any direct sub-domain, forgotten or taken over, could act with the signed-in user's rights.",
        "Name the origins one by one, or leave allowCredentials false.",
    ),
    "MA206": Code(
        "Origin that is already allowed",
        "The application's own origin is always allowed; a repeat hides which entries matter.",
        "Remove the entry.",
        "warning",
    ),
    "MA207": Code(
        "Local origin outside development",
        "Any program on a user's machine could call the API through the browser.",
        "Remove the origin from this environment.",
    ),
    "MA210": Code(
        "Public API address with certificates the worker may not trust",
        "The worker verifies the API's certificate against the system's authorities; an internal one is "
        "not among them, and it would never connect.",
        "Give the authority in controlPlane.caBundleConfigMap, or set worker.apiAccess to inCluster.",
    ),
    "MA211": Code(
        "Staging certificates in production",
        "Browsers and clients do not trust certificates of a staging authority.",
        "Use the authority's production directory.",
    ),
    "MA212": Code(
        "Two certificates in one Secret",
        "cert-manager would write both certificates into the same Secret, over each other, without end.",
        "Give tls.apiSecretName, tls.appSecretName and tls.envoy.secretName different names.",
    ),
    "MA213": Code(
        "Domain for which no certificate can be issued",
        "Public authorities issue no certificate for reserved and internal names; the front door would "
        "serve none.",
        "Use a domain of your own, or tls.mode internalCa or provided.",
    ),
    "MA214": Code(
        "Controller annotations missing for a controller other than ingress-nginx",
        "The default annotations speak to ingress-nginx only; another controller needs its own to speak "
        "gRPC to the API server.",
        "Give frontDoor.apiAnnotations and frontDoor.appAnnotations for that controller.",
        "warning",
    ),
    "MA220": Code(
        "NetworkPolicies turned off in production",
        "Every pod of the cluster could reach the API server, which trusts all callers at this generation.",
        "Set network.policies to true.",
        "warning",
    ),
    "MA221": Code(
        "Network that contains every address",
        "It admits the whole internet, which is rarely what a list of networks is for.",
        "Name the networks, or leave the list out if any address is meant.",
        "warning",
    ),
    "MA222": Code(
        "Self-managed cluster without the control plane's networks",
        "The NetworkPolicy `allow-michelangelo-controller` needs the addresses the control plane comes from.",
        "Set network.egressCidrs.",
    ),
    "MA223": Code(
        "Networks that overlap",
        "The smaller one changes nothing, and hides what is admitted.",
        "Keep the one that is meant.",
        "warning",
    ),
}

PROOF: Final[dict[str, Code]] = {
    "MA230": Code(
        "Selector that matches no pods",
        "A Service without pods refuses every connection; a disruption budget without pods protects nothing.",
        "Make the selector equal to labels of the pod template in the same namespace.",
    ),
    "MA231": Code(
        "Port that no container has",
        "Connections to it are refused: a Service has no endpoints there, a probe never succeeds.",
        "Name a port that the container declares.",
    ),
    "MA232": Code(
        "Service that nobody reaches",
        "It is behind no front door and no documented flow ends at it, so nothing can depend on it.",
        "Route something to it, write its flow down in the table of flows, or take it away.",
        "warning",
    ),
    "MA233": Code(
        "Front door that NetworkPolicies keep out",
        "The door routes to the Service, but its pods refuse connections from the door's namespace.",
        "Add the flow from the door to the table of flows.",
    ),
    "MA234": Code(
        "Reference to something that is not there",
        "Kubernetes accepts the object; its pods never start, or its traffic is never served.",
        "Correct the name, render what it names, or list it among what others provide.",
    ),
    "MA235": Code(
        "Documented flow that NetworkPolicies refuse",
        "A connection the platform needs would be dropped without a message.",
        "Make the policies from the table of flows again.",
    ),
    "MA236": Code(
        "NetworkPolicies that permit more than the documented flows",
        "Whatever gets hold of one pod could reach what it has no business with.",
        "Take the rule away, or write its flow down in the table of flows.",
    ),
    "MA237": Code(
        "Pods that no NetworkPolicy isolates",
        "Without a policy that selects them, pods accept and open every connection.",
        "Add the pods to the default deny.",
    ),
}

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

CODES: Final[dict[str, Code]] = FILE | SHAPE | SERVICES | NETWORK | PROOF | STORAGE | CLUSTERS | SECURITY
"""Every code, in order."""
