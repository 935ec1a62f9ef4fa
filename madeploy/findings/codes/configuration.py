"""MA1xx: stack files, settings and the services' own configuration."""

from __future__ import annotations

from typing import Final

from madeploy.findings.codes.code import Code

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
        "Services of 2026.04 start no ingester: lists would come from an empty database and deletions would "
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
        "Set images.tag for all platform images, or controlPlane.<service>.image.tag or .digest for one.",
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
        "List each queue once; the platform's own queues and workflow.taskList are always polled.",
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
        "Workers of 2026.04 ignore the setting for Temporal, and TChannel has none: they connect "
        "without TLS, while the controller manager uses it.",
        "Reach the engine without TLS inside a trusted network, or through a proxy that adds it.",
    ),
    "MA138": Code(
        "Link template that does not parse",
        "The link to an execution would be missing or wrong in every pipeline run.",
        "Use {{.Domain}} and {{.ExecutionID}}, from 0.12 on also {{.RunID}}, and nothing else between "
        "double braces.",
    ),
    "MA139": Code(
        "Namespace that is somebody else's",
        "The namespace would be labelled, its pods held to Pod Security restricted, and it would be deleted "
        "with the stack.",
        "Choose a namespace of the control plane's own, such as ma-system.",
    ),
    "MA140": Code(
        "Image of a service at its older place",
        "Size, placement, configuration and image of a service stand together in controlPlane.<service>; "
        "the older place is still read, unless the image is said at both.",
        "Keep controlPlane.<service>.image and remove images.<service>.",
        "info",
    ),
    "MA141": Code(
        "Workflow engine that takes no connection of the services",
        "The services connect without TLS, or by TLS with nothing that tells who they are: the front end "
        "closes the connection, and no workflow starts.",
        "Run a proxy inside the network that takes plain gRPC and adds TLS and the credential towards the "
        "engine (Envoy or nginx with a client certificate), and name it in workflow.host; or use an engine "
        "of your own.",
    ),
}
