"""MA2xx: network and TLS."""

from __future__ import annotations

from typing import Final

from madeploy.findings.codes.code import Code

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
    "MA215": Code(
        "ACME authority that needs an account of its own",
        "cert-manager could not register with it (externalAccountRequired), and would get no certificate.",
        "Name the account's key in tls.externalAccountBinding, or use an authority that asks for none, such "
        "as Let's Encrypt.",
    ),
    "MA220": Code(
        "NetworkPolicies turned off in production",
        "Every pod of the cluster could reach the API server, which trusts all callers in these releases.",
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
    "MA224": Code(
        "Host name with an underscore",
        "Names of hosts have letters, digits and hyphens (RFC 1123, 2.1): some resolvers, proxies and TLS "
        "libraries refuse others, and public authorities sign no certificate for them.",
        "Give the host a name without one, and use that.",
        "warning",
    ),
    "MA225": Code(
        "Port of a DNS server whose place is not given",
        "Policies would admit that port to pods in kube-system with k8s-app: kube-dns only; a server that "
        "listens on another port usually is elsewhere, and no name would be resolved.",
        "Take dnsPort out, and say where the pods are and what they listen on. On OpenShift:\n"
        "michelangelo:network:\n"
        "  dns:\n"
        "    namespace: openshift-dns\n"
        "    labels: {dns.operator.openshift.io/daemonset-dns: default}\n"
        "    port: 5353\n"
        "    addresses: []",
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
