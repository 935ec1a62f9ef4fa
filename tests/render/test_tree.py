"""The tree of files: what is in it, in which order, and what never is."""

from __future__ import annotations

import base64
import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings

from madeploy.render.tree import Format, Tree, tree
from madeploy.settings import Environment
from manifests import catalog
from manifests.credentials import object_store_yaml
from manifests.registration import task_credentials_data
from tests.render.environments import CLUSTERS, SECRETS, gitops
from tests.support import strategies
from tests.support.environments import ALL, environment
from tests.support.proves import proves

FORMATS: tuple[Format, ...] = ("files", "argocd", "flux")
KINDS = pytest.mark.parametrize("kind", SECRETS)
FORMS = pytest.mark.parametrize("form", FORMATS)
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def render(of: Environment, form: Format = "files") -> Tree:
    return tree(of, "prod", form=form)


def loaded(made: Tree) -> dict[str, Any]:
    """Every YAML file, read again."""
    return {
        path: yaml.load(text, Loader=_Loader) for path, text in made.files.items() if path.endswith(".yaml")
    }


def secret_values(data: Any) -> list[Any]:
    """Objects of kind Secret with data, anywhere in a document."""
    if isinstance(data, dict):
        own = [data] if data.get("kind") == "Secret" and {"data", "stringData"} & data.keys() else []
        return own + [found for value in data.values() for found in secret_values(value)]
    return [found for item in data for found in secret_values(item)] if isinstance(data, list) else []


@KINDS
@FORMS
def test_no_secret_holds_data(kind: str, form: Format) -> None:
    """CARD-4, REG-3: in no file, whatever stands for secrets; the Secret that Kubernetes writes a token into
    is empty."""
    files = loaded(render(gitops(kind), form))
    assert any(data["kind"] == "Secret" for data in files.values())
    for path, data in files.items():
        assert secret_values(data) == [], path


def test_a_secret_with_data_would_be_found() -> None:
    """So that the test above can fail."""
    assert secret_values({"items": [{"kind": "Secret", "stringData": {"a": "b"}}]})


@FORMS
@pytest.mark.parametrize("name", ALL)
def test_the_same_settings_give_the_same_bytes(name: str, form: Format) -> None:
    """CARD-4: whatever the order of clusters in the stack file."""
    built = ALL[name]()
    settings = built.gitops.model_copy(update={"repository": "https://git.example.com/a/b.git"})
    backward = dict(reversed(list(built.clusters.items())))
    first = render(built.model_copy(update={"gitops": settings}), form)
    second = render(built.model_copy(update={"gitops": settings, "clusters": backward}), form)
    assert list(first.files.items()) == list(second.files.items())
    assert list(first.stream()) == list(second.stream())


@pytest.mark.parametrize("name", ALL)
def test_every_object_of_the_catalog_is_in_one_file(name: str) -> None:
    """CARD-4: one for one, read back as it was built."""
    built = ALL[name]()
    made = render(built)
    written = [yaml.load(document.text, Loader=_Loader) for document in made.documents]
    expected = catalog.objects(built, "prod")
    assert sorted(written, key=str) == sorted(expected, key=str)
    assert len({document.path for document in made.documents}) == len(written)


@given(strategies.environments())
@settings(max_examples=8)
def test_whatever_may_be_said_can_be_rendered(data: dict[str, Any]) -> None:
    """CARD-4, CARD-5: one file an object, and kustomizations that name exactly what is there."""
    made = render(Environment.model_validate(data))
    assert len(made.files) == len(made.documents) + len(made.others)
    assert_kustomizations_are_complete(made)


@KINDS
@FORMS
def test_a_kustomization_names_every_file_beside_it(kind: str, form: Format) -> None:
    """CARD-4."""
    assert_kustomizations_are_complete(render(gitops(kind), form))


def assert_kustomizations_are_complete(made: Tree) -> None:
    there = {*(document.path for document in made.documents), *made.encrypted}
    named: set[str] = set()
    for path, data in loaded(made).items():
        folder, _, file = path.rpartition("/")
        if file == "kustomization.yaml":
            for resource in data["resources"]:
                full = f"{folder}/{resource}"
                if full.endswith(".yaml"):
                    named.add(full)
                else:
                    assert f"{full}/kustomization.yaml" in made.files
    assert named == there


@KINDS
def test_objects_come_in_the_order_an_update_needs(kind: str) -> None:
    """CARD-4, CP-8: namespaces, what pods read, the API server, what needs its definitions; registrations
    last, their Secrets before them."""
    made = render(gitops(kind))
    folders = list(dict.fromkeys(document.path.rpartition("/")[0] for document in made.documents))
    control_plane = [folder for folder in folders if folder.startswith("control-plane/")]
    assert control_plane == sorted(control_plane, key=lambda folder: folder.split("/")[1].split("-")[0])
    place = {folder.split("/", 1)[1].split("-", 1)[-1]: number for number, folder in enumerate(folders)}
    assert place["namespaces"] < place["apiserver"] < place["controllermgr"] < place["clusters"]
    if kind in ("external", "pushed"):
        assert place["secrets"] < place["controllermgr"]
        assert place["credentials"] < place["clusters"]
    assert [folder for folder in folders if folder.startswith("compute/")] == [
        "compute/cpu-east",
        "compute/gpu-west",
        "compute/unknown",
    ]


def test_a_service_account_comes_before_its_token() -> None:
    """CARD-4, REG-5: Kubernetes deletes a token Secret whose account is not there."""
    resources = loaded(render(gitops("names")))["compute/cpu-east/kustomization.yaml"]["resources"]
    account = resources.index("serviceaccount-ray-manager.yaml")
    assert account < resources.index("secret-ray-manager-token.yaml")


def test_a_cluster_whose_address_nobody_knows_is_named_and_outputs_tell_it() -> None:
    """REG-4: left out, said so; with the outputs of an update it is there."""
    built = gitops("names")
    made = render(built)
    assert made.plan.unknown == ("unknown",)
    assert "unknown" in made.files["SECRETS.md"].partition("Not in these files")[2]
    endpoints = {"unknown": ("https://unknown.example.com", "6443"), "gone": ("https://gone", "1")}
    known = tree(built, "prod", endpoints=endpoints)
    assert known.plan.unknown == ()
    rest = loaded(known)["registrations/20-clusters/cluster-unknown.yaml"]["spec"]["kubernetes"]["rest"]
    assert (rest["host"], rest["port"]) == ("https://unknown.example.com", "6443")


def test_a_cluster_carries_no_annotation_and_no_label_of_ours_in_any_format() -> None:
    """REG-4: a later change would end the reporting of its health (V7): no wave, no option is put there."""
    for form in FORMATS:
        files = loaded(render(gitops("pushed"), form))
        cluster = files["registrations/20-clusters/cluster-cpu-east.yaml"]
        assert cluster["metadata"].keys() == {"name", "namespace"}
        assert "transformers" not in files["registrations/20-clusters/kustomization.yaml"]


def filled(template: str, values: dict[str, str]) -> str:
    """A template of External Secrets with values in it, as far as ours use the language."""
    for name, value in values.items():
        template = template.replace("{{ ." + name + " | toJson }}", json.dumps(value))
        template = template.replace("{{ ." + name + " }}", value)
    assert "{{" not in template
    return template


def test_an_external_secret_makes_the_secret_an_update_makes() -> None:
    """CARD-4, REG-3: same name, namespace, labels, keys and contents."""
    values = {"accessKeyId": "id", "secretAccessKey": "a/b+c: #"}
    files = loaded(render(gitops("pushed")))
    control_plane = files["control-plane/20-secrets/externalsecret-michelangelo-object-store.yaml"]
    template = control_plane["spec"]["target"]["template"]
    assert yaml.safe_load(filled(template["data"]["secrets.yaml"], values)) == yaml.safe_load(
        object_store_yaml(*values.values())
    )
    assert template["metadata"]["labels"] == control_plane["metadata"]["labels"]
    tasks = files["compute/cpu-east/externalsecret-aws-credentials.yaml"]["spec"]["target"]["template"][
        "data"
    ]
    made = task_credentials_data(*values.values(), "us-east-1")
    assert {key: filled(text, values) for key, text in tasks.items()} == {
        key: base64.b64decode(value).decode() for key, value in made.items()
    }


def test_what_a_compute_cluster_pushes_is_what_the_control_plane_reads() -> None:
    """CARD-4, REG-4: the token's way, entry and property for entry and property."""
    files = loaded(render(gitops("pushed")))
    for name in ("cpu-east", "gpu-west", "unknown"):
        push = files[f"compute/{name}/pushsecret-ray-manager-token.yaml"]["spec"]
        assert push["selector"]["secret"]["name"] == "ray-manager-token"
        pushed = {
            (each["match"]["remoteRef"]["remoteKey"], each["match"]["remoteRef"]["property"])
            for each in push["data"]
        }
        read = {
            (ref["remoteRef"]["key"], ref["remoteRef"]["property"])
            for suffix in ("ca-data", "client-token")
            for ref in files[f"registrations/10-credentials/externalsecret-cluster-{name}-{suffix}.yaml"][
                "spec"
            ]["data"]
        }
        assert (
            pushed
            == read
            == {
                (f"michelangelo/prod/clusters/{name}", "certificateAuthority"),
                (f"michelangelo/prod/clusters/{name}", "token"),
            }
        )


@proves("OPS-5")
def test_the_token_of_serving_goes_the_same_way() -> None:
    """OPS-5, CARD-4: a Secret of its own there, a property of the cluster's entry, and a Secret here; of a
    bounded credential, whose token no Secret holds, it alone."""
    for kind, pushes in (("longLived", 2), ("bounded", 1)):
        credential = {"generation": 3, "kind": kind}
        cluster = CLUSTERS["cpu-east"] | {"serving": True, "credential": credential}
        serving = {"namespace": "serving", "createNamespace": True}
        files = loaded(render(gitops("pushed", serving=serving, clusters={"cpu-east": cluster})))
        assert sum("pushsecret-" in path for path in files) == pushes
        push = files["compute/cpu-east/pushsecret-inference-server-manager-token-3.yaml"]["spec"]
        source = push["selector"]["secret"]["name"]
        assert (
            files[f"compute/cpu-east/secret-{source}.yaml"]["type"] == "kubernetes.io/service-account-token"
        )
        (pushed,) = (each["match"] for each in push["data"])
        there = files["registrations/10-credentials/externalsecret-cluster-cpu-east-is-token.yaml"]["spec"]
        (read,) = there["data"]
        assert (pushed["secretKey"], read["secretKey"]) == ("token", "token")
        entry = (pushed["remoteRef"]["remoteKey"], pushed["remoteRef"]["property"])
        assert entry == (read["remoteRef"]["key"], read["remoteRef"]["property"])
        assert entry == ("michelangelo/prod/clusters/cpu-east", "servingToken")


@KINDS
def test_everything_that_must_exist_is_on_the_page_of_secrets(kind: str) -> None:
    """CARD-4: by entry, file or name; with who puts it there."""
    page = render(gitops(kind)).files["SECRETS.md"]
    expected = {
        "names": ("michelangelo-object-store", "aws-credentials", "cluster-{cluster}-client-token"),
        "external": ("michelangelo/prod/object-store", "aws-credentials", "whoever keeps the store"),
        "pushed": ("michelangelo/prod/clusters/{cluster}", "the PushSecret on the compute cluster"),
        "sealed": ("sealedsecret-cluster-{cluster}-ca-data.yaml", "sealedsecret-aws-credentials.yaml"),
        "sops": ("secret-cluster-{cluster}-ca-data.enc.yaml", "secret-michelangelo-object-store.enc.yaml"),
    }
    for text in (*expected[kind], "cpu-east, gpu-west, unknown", "michelangelo-apiserver-tls"):
        assert text in page


def waves(made: Tree) -> dict[str, int]:
    """Sync wave of each folder that has one."""
    found = {}
    for path, data in loaded(made).items():
        for text in data.get("transformers", ()):
            transformer = yaml.safe_load(text)
            # Nothing but an object's own metadata: pod templates must not change with a wave.
            assert transformer["fieldSpecs"] == [{"path": "metadata/annotations", "create": True}]
            (value,) = transformer["annotations"].values()
            found[path.rpartition("/")[0]] = int(value)
    return found


def test_argo_cd_syncs_in_the_order_of_the_folders() -> None:
    """CARD-4: waves on every stage of the control plane; registrations are an Application of their own, which
    is deleted before it."""
    made = render(gitops("pushed"), "argocd")
    found = waves(made)
    for folder, wave in found.items():
        if folder.startswith("control-plane/"):
            assert wave == int(folder.split("/")[1].split("-")[0])
    assert found["registrations/10-credentials"] < 0
    files = loaded(made)
    annotation = "argocd.argoproj.io/sync-wave"
    order = {
        name: int(files[f"argocd/{name}.yaml"]["metadata"]["annotations"][annotation])
        for name in ("application-control-plane", "application-registrations")
    }
    assert order["application-control-plane"] < order["application-registrations"]
    options = files["argocd/application-registrations.yaml"]["spec"]["syncPolicy"]["syncOptions"]
    assert "SkipDryRunOnMissingResource=true" in options
    for path, data in files.items():
        if path.startswith("argocd/application-"):
            folder = data["spec"]["source"]["path"].removeprefix("environments/prod/")
            assert f"{folder}/kustomization.yaml" in made.files
            assert data["metadata"]["finalizers"]
    (generator,) = files["argocd/applicationset-compute.yaml"]["spec"]["generators"]
    assert generator["git"]["directories"] == [{"path": "environments/prod/compute/*"}]


def test_flux_waits_for_what_comes_before() -> None:
    """CARD-4: one Kustomization a stage, in a chain without a gap; compute clusters by kubeconfig."""
    made = render(gitops("pushed"), "flux")
    steps = {d["metadata"]["name"]: d["spec"] for p, d in loaded(made).items() if "flux/kustomization" in p}
    needs = {name: {each["name"] for each in spec.get("dependsOn", ())} for name, spec in steps.items()}

    def all_before(name: str) -> set[str]:
        return needs[name] | set(itertools.chain.from_iterable(map(all_before, needs[name])))

    prefix = "michelangelo-prod"
    assert all_before(f"{prefix}-control-plane-40-doors") >= {
        f"{prefix}-control-plane-{stage}" for stage in ("10-namespaces", "20-secrets", "30-apiserver")
    }
    assert f"{prefix}-control-plane-40-controllermgr" in all_before(f"{prefix}-registrations-20-clusters")
    assert f"{prefix}-registrations-10-credentials" in needs[f"{prefix}-registrations-20-clusters"]
    for name, spec in steps.items():
        folder = spec["path"].removeprefix("./environments/prod/")
        assert f"{folder}/kustomization.yaml" in made.files
        assert needs[name] <= steps.keys()
        assert ("kubeConfig" in spec) == folder.startswith("compute/")
        if any(name in others for others in needs.values()):
            assert spec["wait"] is True, "others wait for it, so it has to be healthy"


def test_a_name_that_flux_makes_a_label_of_stays_short() -> None:
    """CARD-4: labels have at most 63 characters; long names stay different."""
    long = {f"{'x' * 60}{letter}": {"server": f"https://{letter}.example.com"} for letter in "ab"}
    made = tree(gitops("names", clusters=long), "prod", form="flux")
    names = [d["metadata"]["name"] for p, d in loaded(made).items() if p.startswith("flux/kustomization-")]
    assert len(names) == len(set(names))
    assert max(map(len, names)) <= 63


def test_sops_files_are_decrypted_by_flux() -> None:
    """CARD-4."""
    made = render(gitops("sops"), "flux")
    assert all(
        data["spec"]["decryption"] == {"provider": "sops"}
        for path, data in loaded(made).items()
        if path.startswith("flux/kustomization-")
    )
    assert made.encrypted


def test_rendering_imports_no_engine() -> None:
    """CARD-4, REG-12: neither the engine's SDK nor a cluster's client, nor what is only needed to check."""
    code = (
        "import sys; from madeploy.cli.app import main; sys.argv = ['madeploy', 'render', 'example']\n"
        "try: main()\nexcept SystemExit as end: assert not end.code\n"
        "bad = {'pulumi', 'pulumi_kubernetes', 'kubernetes', 'boto3', 'grpc', 'rich', 'cryptography'}\n"
        "print(sorted(bad & sys.modules.keys()), file=sys.stderr)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "[]"
    assert "kind: Deployment" in done.stdout


def test_settings_may_be_the_smallest() -> None:
    """CARD-4: without clusters and static keys there is one target, and nothing to put by hand but what
    settings name."""
    made = render(environment())
    assert [target.folder for target in made.plan.targets] == ["control-plane"]
    assert made.encrypted == ()
