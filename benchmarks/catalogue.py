"""Every row: what is measured, beside what, what it has to come to, and what is to be done where it does not.

A new one is one function that prepares its sides, and one entry in `ROWS`.
"""

from __future__ import annotations

from typing import Final

from benchmarks import fleet_files, preview, programs, reported
from benchmarks.commands import ROOT
from benchmarks.reported import Elsewhere, Reported
from benchmarks.rows import Comparison, Goal, Row, Wanted
from benchmarks.series import Series

PASS: Final = "`python -c pass`"
EXPONENT: Final = Goal(1.10)
MEMORY: Final = Goal(100)

FIRST_UPDATE: Final = (
    "Of 0.76 s, measured process by process, the engine takes 0.29, half of it writes of the state after "
    "each resource; providers 0.17, the program 0.14, making the stack 0.04, what the language host asks pip "
    "0.04. "
    "Inline programs of the Automation API need no language host, and import once for all stacks."
)

ROWS: Final[dict[str, Row]] = {
    "program": Comparison(
        "the Pulumi program of an environment with 20 clusters, no engine",
        "a bare program that registers the same resources with literal arguments, typed classes imported",
        programs.register,
        (
            Wanted("cpu", programs.BARE, goal=Goal(1.15)),
            Wanted("memory", programs.BARE, goal=Goal(1.15)),
            Wanted("cpu", programs.GENERIC),
            Wanted("memory", programs.GENERIC),
        ),
        20,
        "What is left above the bare program is pydantic's models and the rules: models that are made when a "
        "section is first read.",
    ),
    "preview": Comparison(
        "`pulumi preview` of the running sandbox, nothing to do",
        "`pulumi preview` of a bare program that registers the same resources with literal arguments",
        lambda scratch, _: preview.sides(ROOT, scratch),
        (
            Wanted("cpu", programs.BARE, goal=Goal(1.15)),
            Wanted("wall", programs.BARE),
            Wanted("cpu", "the empty program"),
        ),
        next_step="Five runs gave 1.15 to 1.18. The program reads and checks its settings, 0.2 s, and asks "
        "the control plane what is registered under another name, 0.03 s. Fewer, flatter models: what "
        "`settings` is spared is spared here.",
        obstacle=lambda: preview.obstacle(ROOT),
    ),
    "settings": Comparison(
        "`import madeploy.settings`",
        "`import pydantic`",
        programs.settings,
        (Wanted("cpu", "pydantic", goal=Goal(1.5)), Wanted("cpu", programs.ONE_MODEL)),
        next_step="The time is pydantic's, which makes 94 models; they are built when they are first read. A "
        "module with one model of one field takes 1.6 times of `import pydantic` alone, which loads most of "
        "itself for the first model: the goal is below what any module of models takes. Fewer, flatter "
        "models.",
    ),
    "version": Comparison(
        "`bin/madeploy --version`",
        PASS,
        lambda _, __: programs.command("--version"),
        (Wanted("cpu", PASS, "over", Goal(0.10)),),
        next_step="What is left is typer's import.",
    ),
    "help": Comparison(
        "`bin/madeploy --help`",
        PASS,
        lambda _, __: programs.command("--help"),
        (Wanted("cpu", PASS, "over", Goal(0.25)),),
        next_step="The help is read from the source of every verb: a table of them, kept in step by a test.",
    ),
    "validate": Comparison(
        "`bin/madeploy validate` of one stack",
        PASS,
        lambda _, __: programs.command("validate", programs.STACK_FILE),
        (Wanted("cpu", PASS, "over", Goal(0.35)),),
        next_step="Of 0.32 s the settings take 0.18: fewer, flatter models.",
    ),
    "render": Comparison(
        "`render` of 1,000 clusters, start-up included",
        "libyaml writing the same objects, built before",
        fleet_files.render,
        (Wanted("cpu", "libyaml", goal=Goal(1.8)), Wanted("memory", goal=MEMORY, how="itself")),
        1000,
    ),
    "render-helm": Comparison(
        "`render` of 1,000 clusters",
        "`helm template` of a chart with the same objects",
        fleet_files.render_helm,
        (Wanted("cpu", "helm", goal=Goal(4.0)), Wanted("memory", "helm")),
        1000,
        most_rounds=2,
    ),
    "render-kustomize": Comparison(
        "`render` of 300 clusters; of 1,000 kustomize had not ended after 211 s",
        "`kustomize build` of the same objects",
        fleet_files.render_kustomize,
        (Wanted("cpu", "kustomize", goal=Goal(0.2)), Wanted("memory", "kustomize")),
        300,
        most_rounds=2,
    ),
    "render-series": Series(
        "`render` of 1 to 2,500 clusters",
        "its own sizes",
        fleet_files.render_command,
        MEMORY,
        EXPONENT,
    ),
    "checks": Comparison(
        "`validate` with its proof, and `policy`, of 1,000 clusters",
        "`render` of the same",
        fleet_files.checks,
        (Wanted("cpu", "render", goal=Goal(1.5)), Wanted("memory", how="itself")),
        1000,
        "These are two commands: each starts, reads the stack and builds its objects, which `render` does "
        "once; two starts alone are 0.8 × render. `checks-at-once` is the same work in one interpreter.",
    ),
    "checks-at-once": Comparison(
        "the same two commands in one interpreter",
        "`render` of the same",
        fleet_files.checks_at_once,
        (Wanted("cpu", "render", goal=Goal(1.5)),),
        1000,
        "The stack is still read twice.",
    ),
    "checks-checkov": Comparison(
        "`validate` and `policy` of 100 clusters; of 1,000 checkov had not ended after 172 s, with 6.2 GiB",
        "checkov on the rendered files",
        fleet_files.checks_checkov,
        (Wanted("cpu", "checkov", goal=Goal(0.1)), Wanted("memory", "checkov")),
        100,
        most_rounds=1,
    ),
    "preflight": Reported(
        "asking 200 clusters before an update, of which five say nothing",
        "serial: the patience with one, 8 s, for each of the five",
        {"look": ("-m", "benchmarks.preflight")},
        reported.preflight,
        "The patience with what is silent is 8 s of it; the rest is processor time, which other work on the "
        "machine stretches.",
        most_rounds=3,
    ),
    "onboarding": Reported(
        "the first update of 16 clusters on a file backend, several to a stack",
        "one stack for each cluster",
        {
            "together": ("-m", "benchmarks.fleet", "--halves", "together", "--phases", "3"),
            "apart": ("-m", "benchmarks.fleet", "--halves", "apart", "--phases", "3"),
        },
        reported.fleet,
        FIRST_UPDATE,
        obstacle=reported.no_fleet,
    ),
    "fleet": Reported(
        "a fleet of 1,000 clusters, eight to a stack, on a file backend",
        "–",
        {"fleet": ("-m", "benchmarks.fleet", "--clusters", "1000")},
        reported.whole_fleet,
        FIRST_UPDATE,
        obstacle=reported.no_fleet,
        phases=reported.over_time,
    ),
    "rotation": Reported(
        "the updates of one cluster's rotation in the sandbox, two and the deletion of one Secret",
        "four updates, one for each thing that changes",
        {"updates": ("-m", "benchmarks.rotation")},
        reported.rotation,
        "Two runs of the program are the least: a credential has to be proven before it is registered. The "
        "four updates are made as updates are today, which no longer preview once more.",
        obstacle=reported.no_fleet,
    ),
    "silent": Reported(
        "an update of 20 clusters in one stack, all registered, of which one has become silent",
        "the same while all answer",
        {"updates": ("-m", "benchmarks.silent")},
        reported.silent,
        "8 s are the patience of the look at clusters before the engine starts, 20 s that of its plugin, "
        "which it starts for every provider in the state.",
        obstacle=reported.no_fleet,
    ),
    "sandbox": Reported(
        "`sandbox up` where all tools are there",
        "–",
        {"up": ("-m", "benchmarks.warm")},
        reported.warm,
        obstacle=reported.no_fleet,
    ),
    "tests": Elsewhere(
        "`bin/madeploy test` where all tools are there",
        "–",
        "it prints its own time; [development.md](development.md) says what it takes",
    ),
}
"""By the name that the command takes, in the order they run."""
