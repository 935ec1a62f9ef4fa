"""MA936 to MA975: what is wrong with an environment that was deployed (docs/verifying-environments.md)."""

from __future__ import annotations

from typing import Final

from madeploy.findings.codes.code import Code

_OBJECTS: Final[dict[str, Code]] = {
    "MA936": Code(
        "Declared object that is not there",
        "Somebody deleted it, or the last update did not come as far.",
        "Make it again by an update.",
    ),
    "MA937": Code(
        "Declared object that was changed",
        "What runs is not what the stack says; the next update changes it back.",
        "Put the change into the stack file, or undo it by an update.",
    ),
    "MA938": Code(
        "Declared object with fields that somebody else added",
        "No update looks at fields that it did not write: they stay until somebody removes them.",
        "Put what is needed into the stack file, and remove the rest by hand.",
        "warning",
    ),
    "MA939": Code(
        "Declared object that is being deleted",
        "It goes away as soon as its finalizers let it.",
        "See what holds it; an update makes it again once it is gone.",
    ),
    "MA940": Code(
        "Definition of the platform that is not served",
        "The API server creates them when it starts; objects of the kind cannot exist until then.",
        "See why the Michelangelo API server does not make it.",
    ),
}

_NETWORK: Final[dict[str, Code]] = {
    "MA941": Code(
        "Front door that does not speak HTTP/2",
        "gRPC needs HTTP/2 from end to end; clients of the API get no answer they understand.",
        "Turn HTTP/2 on in the ingress controller (ingress-nginx: use-http2, its default).",
    ),
    "MA942": Code(
        "Front door without an address",
        "Its controller has not taken it over, or the load balancer was not made.",
        "See the events of the front door, and the log of its controller.",
    ),
    "MA943": Code(
        "Front door that calls the API server without gRPC",
        "The controller calls the back end by HTTP/1.1, which the API server does not speak.",
        "Bring the annotation, or the route, back by an update.",
    ),
    "MA944": Code(
        "Front door that cannot be reached from here",
        "Clients do not reach the platform, or this machine is not where they are.",
        "See the door's address, its load balancer and the firewalls before it.",
    ),
    "MA945": Code(
        "Certificate that is missing or cannot be used",
        "The front door shows another certificate, or ends the connection.",
        "See the Secret, and what cert-manager says of the certificate.",
    ),
    "MA946": Code(
        "Certificate that does not name the domain",
        "Clients refuse to talk to the front door.",
        "Have a certificate made for the domain.",
    ),
    "MA947": Code(
        "Certificate that has expired, or is about to",
        "Clients refuse to talk to the front door once it has expired.",
        "Renew it; see why it was not renewed.",
    ),
    "MA948": Code(
        "Certificate that clients do not trust",
        "An intermediate certificate is missing, or its authority is not known here.",
        "Put the intermediate certificates into tls.crt, below the certificate itself.",
    ),
    "MA949": Code(
        "Certificate that its issuer does not issue",
        "cert-manager says why: the domain's challenge cannot be answered, the issuer is not ready, or the "
        "authority refuses.",
        "Remove the cause that cert-manager names; it tries again by itself.",
    ),
    "MA950": Code(
        "Application's origin that Envoy does not accept",
        "Browsers refuse every call of the application to the API.",
        "Write Envoy's configuration again by an update.",
    ),
    "MA951": Code(
        "Worker that is told another address of the API",
        "It cannot report what tasks came to.",
        "Write the worker's configuration again by an update.",
    ),
    "MA952": Code(
        "Application that is told another address of the API",
        "Pages load, and their calls go elsewhere.",
        "Write the application's configuration again by an update.",
    ),
    "MA953": Code(
        "API that does not answer a gRPC call through its door",
        "Neither the command line, nor SDKs, nor workers outside can use the platform.",
        "See the door's log, and whether pods of the API server are ready.",
    ),
    "MA954": Code(
        "Application whose page is not served",
        "People see an error in place of the platform.",
        "See the door's log, and whether pods of the UI are ready.",
    ),
    "MA955": Code(
        "API that does not answer a browser's call through the application's door",
        "Pages load and stay empty.",
        "See Envoy's log, and whether pods of Envoy and of the API server are ready.",
    ),
    "MA956": Code(
        "Browser's preflight that is answered otherwise than declared",
        "Browsers refuse the call, or pages of others may make it.",
        "Write Envoy's configuration again by an update.",
    ),
}

_ROLLOUTS: Final[dict[str, Code]] = {
    "MA957": Code(
        "Pods that no node takes",
        "Not enough room, or no node with what the pods ask for.",
        "Add nodes that fit, or ask for less in controlPlane.<service>.resources and controlPlane.zones.",
    ),
    "MA958": Code(
        "Pods whose image cannot be had",
        "The registry has no such image, or does not give it to the nodes.",
        "Correct images, or give the nodes a login in images.pullSecrets.",
    ),
    "MA959": Code(
        "Containers that cannot be started",
        "They refer to a ConfigMap, Secret or key that is not there.",
        "Make what is missing, or undo what was changed by an update.",
    ),
    "MA960": Code(
        "Containers that end again and again",
        "The program refuses its configuration, or something it needs.",
        "Read its last words here, and the whole log.",
    ),
    "MA961": Code(
        "Containers that run and are not ready",
        "They do not answer as their probe asks, and get no traffic.",
        "Read the program's log.",
    ),
    "MA962": Code(
        "Pods whose volume cannot be mounted",
        "They stay in ContainerCreating.",
        "Make what the volume refers to, or see the storage driver's log.",
    ),
    "MA963": Code(
        "Roll-out stopped by a quota",
        "No more pods may be made in the namespace.",
        "Raise the quota, or ask for less in controlPlane.<service>.resources.",
    ),
    "MA964": Code(
        "Roll-out stopped by admission",
        "A policy, a webhook or Pod Security refuses the pods.",
        "Change the policy that is named, or make an exception for the namespace.",
    ),
    "MA965": Code(
        "Roll-out stopped otherwise",
        "The API server or a controller says why.",
        "Remove the cause that is named.",
    ),
}

_DATA: Final[dict[str, Code]] = {
    "MA966": Code(
        "Bucket with other safeguards than declared",
        "Objects may be read, lost or kept otherwise than the stack says.",
        "Set them again by an update.",
    ),
    "MA967": Code(
        "Model registry that cannot be read",
        "Pipelines cannot register models, and serving cannot find them.",
        "See the definition models.michelangelo.api, and the API server that makes it.",
    ),
    "MA968": Code(
        "Certificate whose key is not its own",
        "The front door cannot use the pair.",
        "Put the certificate and the key that belong together into the Secret.",
    ),
}

_JOBS: Final[dict[str, Code]] = {
    "MA969": Code(
        "Job that the platform does not run",
        "The environment is up, and does not do what it is for.",
        "See the controller manager's log, and prove the cluster.",
    ),
}

_CONNECTIVITY: Final[dict[str, Code]] = {
    "MA970": Code(
        "Compute cluster that the control plane's pods do not reach",
        "The controller manager dispatches no job there.",
        "Open the way from the control plane's pods to the API server: NetworkPolicies, firewalls, routes.",
    ),
    "MA971": Code(
        "API that task pods do not reach",
        "Tasks cannot report what they came to, and runs stay pending.",
        "Open the way from the compute cluster's pods to domains.api, port 443.",
    ),
    "MA972": Code(
        "Object store that task pods do not reach",
        "Tasks can neither read their input nor write their results.",
        "Open the way from the compute cluster's pods to the object store.",
    ),
    "MA973": Code(
        "Object store that refuses task pods",
        "The role or keys that tasks really get may not do what they have to.",
        "See the account default on the compute cluster, its role, and the role's policy.",
    ),
    "MA974": Code(
        "Pod of a connectivity check that did not run",
        "What the way is like from there is not known; pods of tasks may be held up by the same thing.",
        "Remove the cause that is named.",
        "warning",
    ),
    "MA975": Code(
        "Registry endpoint that task pods do not reach",
        "Models that tasks push are lost.",
        "Open the way from the compute cluster's pods to modelRegistry.endpoint.",
    ),
}

AFTER: Final = {**_OBJECTS, **_NETWORK, **_ROLLOUTS, **_DATA, **_JOBS, **_CONNECTIVITY}
