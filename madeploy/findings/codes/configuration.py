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
