"""What tools there are: which versions are built, which found ones are good enough, and why."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from packaging.specifiers import SpecifierSet

from madeploy.sandbox.tools import aws_plugin
from madeploy.sandbox.tools.edits import EditedModule, Substitution

FAMILIES_DIRECTORY: Final = Path(__file__).parent / "families"

KUBERNETES: Final = "1.34.1"
PULUMI: Final = "3.250.0"
PULUMI_KUBERNETES: Final = "4.25.0"
"""The last version of the plugin whose module can be had from the Go module proxy."""
PULUMI_AWS: Final = "7.0.0"


@dataclass(frozen=True)
class Tool:
    """One program the sandbox runs.

    Args:
        name: its name on PATH.
        family: name of the `Family` that builds it.
        version: the version that is built.
        accepted: versions that are used when found on PATH, as a PEP 440 specifier.
        reason: why those and no others, ending the sentence "accepted is … because".
        version_arguments: arguments that make it print its version. None: it cannot say it, and
            `companion_of` vouches for it.
        needs_beside: tools that must lie in the same directory for this one to be of use.
        companion_of: the tool whose version and place on PATH decide about this one.
        on_request: nothing needs it but a check that names it, so it is not in `DEFAULT_TOOLS`.
        may_be_silent: some of its releases do not say their version; such a copy on PATH is taken as it is.
    """

    name: str
    family: str
    version: str
    accepted: str
    reason: str
    version_arguments: tuple[str, ...] | None
    needs_beside: tuple[str, ...] = ()
    companion_of: str | None = None
    on_request: bool = False
    may_be_silent: bool = False

    def accepts(self, version: str) -> bool:
        """Whether a copy of `version` ("1.34.1") found on PATH is good enough."""
        return SpecifierSet(self.accepted).contains(version, prereleases=True)


@dataclass(frozen=True)
class ModuleFile:
    """A file of a Go module that a build needs as it is.

    Args:
        module: path of a module that the family requires.
        path: of the file in the module.
    """

    module: str
    path: str

    @property
    def name(self) -> str:
        """The file's name, by which it is put where it is needed."""
        return PurePosixPath(self.path).name


@dataclass(frozen=True)
class Family:
    """Tools built together from one Go module, `families/<name>`.

    Args:
        name: directory of its `go.mod` and `go.sum`, and of Go files of ours where a tool needs some.
        version: version of its main module, part of the cache entry's name.
        packages: the package of each tool to build, by tool name.
        gibibytes: memory a build takes at its highest, measured on two cores.
        compiled: packages that are compiled where Go's cache is empty (`go list -deps`).
        stamps: linker variables set to make the tools say their version ("package.Variable=value").
        scripts: put beside the tools, executable.
        embedded: put beside our Go files, which embed them.
        edited: modules built from changed copies.
    """

    name: str
    version: str
    packages: dict[str, str]
    gibibytes: float
    compiled: int
    stamps: tuple[str, ...] = ()
    scripts: tuple[ModuleFile, ...] = ()
    embedded: tuple[ModuleFile, ...] = ()
    edited: tuple[EditedModule, ...] = ()

    @property
    def directory(self) -> Path:
        return FAMILIES_DIRECTORY / self.name

    @property
    def sources(self) -> list[Path]:
        """The files of its directory, the same ones in the same order everywhere."""
        return sorted(path for path in self.directory.rglob("*") if path.is_file())


_KUBERNETES_COMPONENTS: Final = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")
_MEASURED: Final = "figures of the benchmarks are compared with those of this minor version"
_KUBERNETES_PROVIDER: Final = "github.com/pulumi/pulumi-kubernetes/provider/v4"
_SAME_MINOR: Final = (
    "the components of a cluster must be of one minor version, and the tests hold for Kubernetes 1.34"
)

FAMILIES: Final[dict[str, Family]] = {
    family.name: family
    # The longest build first: what starts first ends the whole soonest.
    for family in (
        Family(
            "kubernetes",
            KUBERNETES,
            {name: f"k8s.io/kubernetes/cmd/{name}" for name in _KUBERNETES_COMPONENTS},
            gibibytes=3.0,
            compiled=2531,
            stamps=(
                f"k8s.io/component-base/version.gitVersion=v{KUBERNETES}",
                "k8s.io/component-base/version.gitMajor=1",
                "k8s.io/component-base/version.gitMinor=34",
            ),
        ),
        Family(
            "pulumi",
            PULUMI,
            {"pulumi": "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"},
            gibibytes=2.0,
            compiled=1648,
            stamps=(f"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{PULUMI}",),
        ),
        Family(
            "pulumi-python",
            "3.78.1",
            {"pulumi-language-python": "github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python"},
            gibibytes=0.5,
            compiled=533,
            stamps=("github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v3.78.1",),
            scripts=(
                ModuleFile("github.com/pulumi/pulumi/sdk/v3", "python/cmd/pulumi-language-python-exec"),
                ModuleFile("github.com/pulumi/pulumi/sdk/v3", "python/dist/pulumi-analyzer-policy-python"),
            ),
        ),
        Family(
            "pulumi-kubernetes",
            PULUMI_KUBERNETES,
            {"pulumi-resource-kubernetes": "."},
            gibibytes=2.0,
            compiled=1759,
            stamps=(f"{_KUBERNETES_PROVIDER}/pkg/version.Version={PULUMI_KUBERNETES}",),
            embedded=tuple(
                ModuleFile(_KUBERNETES_PROVIDER, f"cmd/pulumi-resource-kubernetes/{name}")
                for name in ("schema.json", "terraform-mapping.json")
            ),
            edited=(
                EditedModule(
                    _KUBERNETES_PROVIDER,
                    # The engine's package for schemas is newer than the one this was written against.
                    (
                        Substitution(
                            "pkg/gen/schema.go",
                            "Provider: pschema.ResourceSpec{",
                            "Provider: &pschema.ResourceSpec{",
                        ),
                    ),
                    directories={"": ("pkg",)},
                ),
            ),
        ),
        Family(
            "pulumi-aws",
            PULUMI_AWS,
            {"pulumi-resource-aws": "."},
            gibibytes=2.0,
            compiled=1277,
            stamps=(f"main.version={PULUMI_AWS}+terraform.6.34.0",),
            edited=(aws_plugin.PROVIDER, aws_plugin.BRIDGE),
        ),
        Family("kwok", "0.7.0", {"kwok": "sigs.k8s.io/kwok/cmd/kwok"}, gibibytes=1.2, compiled=996),
        Family("etcd", "3.6.4", {"etcd": "go.etcd.io/etcd/server/v3"}, gibibytes=0.5, compiled=565),
        Family(
            "kubeconform",
            "0.8.0",
            {"kubeconform": "github.com/yannh/kubeconform/cmd/kubeconform"},
            gibibytes=0.5,
            compiled=229,
            stamps=("main.version=v0.8.0",),
        ),
        Family(
            "kube-score",
            "1.20.0",
            {"kube-score": "github.com/zegl/kube-score/cmd/kube-score"},
            gibibytes=0.5,
            compiled=332,
            stamps=("main.version=v1.20.0",),
        ),
        Family(
            "helm",
            "3.18.6",
            {"helm": "helm.sh/helm/v3/cmd/helm"},
            gibibytes=1.2,
            compiled=956,
            stamps=("helm.sh/helm/v3/internal/version.version=v3.18.6",),
        ),
        Family(
            "kustomize",
            "5.7.1",
            {"kustomize": "sigs.k8s.io/kustomize/kustomize/v5"},
            gibibytes=0.5,
            compiled=378,
            stamps=("sigs.k8s.io/kustomize/api/provenance.version=v5.7.1",),
        ),
    )
}

TOOLS: Final[dict[str, Tool]] = {
    tool.name: tool
    for tool in (
        Tool(
            "pulumi",
            "pulumi",
            PULUMI,
            ">=3.200,<4",
            "the SDKs and the stack's settings are those of Pulumi 3 from 3.200 on",
            ("version",),
            needs_beside=("pulumi-language-python", "pulumi-language-python-exec"),
        ),
        Tool(
            "pulumi-language-python",
            "pulumi-python",
            "3.78.1",
            ">=3.200,<4",
            "it must be the one that came with the pulumi in use",
            None,
            needs_beside=("pulumi-language-python-exec",),
            companion_of="pulumi",
        ),
        Tool(
            "pulumi-resource-kubernetes",
            "pulumi-kubernetes",
            PULUMI_KUBERNETES,
            ">=4.25,<5",
            "the program is tested with the plugin from 4.25 on",
            ("--version",),
            may_be_silent=True,
        ),
        Tool(
            "pulumi-resource-aws",
            "pulumi-aws",
            PULUMI_AWS,
            ">=7,<8",
            "the program uses the SDK of the plugin's version 7",
            ("--version",),
        ),
        Tool(
            "etcd",
            "etcd",
            "3.6.4",
            ">=3.5.8,<3.7",
            "Kubernetes 1.34 is released against etcd 3.6 and works with 3.5 from 3.5.8 on",
            ("--version",),
        ),
        *(
            Tool(name, "kubernetes", KUBERNETES, ">=1.34,<1.35", _SAME_MINOR, ("--version",))
            for name in _KUBERNETES_COMPONENTS[:3]
        ),
        Tool(
            "kubectl",
            "kubernetes",
            KUBERNETES,
            ">=1.33,<1.36",
            "kubectl is supported within one minor version of the API server, which is 1.34",
            ("version", "--client", "--output=json"),
        ),
        Tool(
            "kwok",
            "kwok",
            "0.7.0",
            ">=0.7,<0.8",
            "the built-in stages that make nodes and pods ready differ between its minor versions",
            ("--version",),
        ),
        Tool(
            "kubeconform",
            "kubeconform",
            "0.8.0",
            ">=0.6,<1",
            "its options and its JSON report have been the same since 0.6",
            ("-v",),
        ),
        Tool(
            "kube-score",
            "kube-score",
            "1.20.0",
            ">=1.20,<1.21",
            "minor versions add checks, and which of them fail is written down for 1.20",
            ("version",),
            on_request=True,
        ),
        *(
            Tool(name, name, version, accepted, _MEASURED, ("version",), on_request=True)
            for name, version, accepted in (
                ("helm", "3.18.6", ">=3.18,<3.19"),
                ("kustomize", "5.7.1", ">=5.7,<5.8"),
            )
        ),
    )
}

DEFAULT_TOOLS: Final = tuple(name for name, tool in TOOLS.items() if not tool.on_request)
"""What is found or built when no tool is named."""

TESTED_TOOLS: Final = (*DEFAULT_TOOLS, "kube-score")
"""What the project's own tests run. The others of those on request are only measured against."""
