"""MA2xx: network and TLS."""

from __future__ import annotations

from typing import Final

from madeploy.findings.codes.code import Code

NETWORK: Final[dict[str, Code]] = {
    "MA224": Code(
        "Host name with an underscore",
        "Names of hosts have letters, digits and hyphens (RFC 1123, 2.1): some resolvers, proxies and TLS "
        "libraries refuse others, and public authorities sign no certificate for them.",
        "Give the host a name without one, and use that.",
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
    "MA249": Code(
        "Authentication that is not at the front door",
        "Whoever reaches the host does what the settings forbid.",
        "Write Envoy's configuration again by an update, and see where the front door sends the host.",
    ),
    "MA253": Code(
        "Identity provider that Envoy cannot sign people in at",
        "Sign-in fails for everybody, or its tokens are refused.",
        "Change the client or the authorization server at the provider, or use another issuer of its.",
    ),
    "MA254": Code(
        "Identity provider that leaves something to do",
        "Sign-in works, and something around it does not by itself.",
        "See docs/access.md for what is needed of a provider.",
        "warning",
    ),
    "MA255": Code(
        "Identity provider that Envoy does not reach",
        "Nobody can sign in; sessions that exist go on until their tokens end.",
        "See that Envoy's pods reach it: DNS, the firewall, the network's way out, and its certificate.",
    ),
}
