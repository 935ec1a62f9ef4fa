"""YAML as other people write it: what is right is left alone, and what only looks right is found."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from madeploy.policy import files
from madeploy.render.folder import Folder
from policies.rules.model import Resource
from tests.policies.cases.shape import POLICY
from tests.policies.world import DATA, TRUST, found, good, names
from tests.render.environments import gitops
from tests.render.test_tree import render

CORPUS = sorted((DATA / "third-party").glob("*.yaml"))


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_a_file_of_somebody_else_gets_the_findings_it_names_and_no_other(path: Path) -> None:
    """CARD-1, UX-3, NET-3, MR-1, MR-2: the first lines of each file say what is right."""
    lines = path.read_text(encoding="utf-8").splitlines()
    expected = [line.removeprefix("# finds: ") for line in lines if line.startswith("# finds: ")]
    reading = files.read([path])
    outcome = found(reading.resources)
    assert reading.findings == []
    assert sorted(f"{item.rule.name} {item.resource.subject}" for item in outcome.found) == expected
    assert reading.resources or path.stem == "sops-whole-document"


ORGANIZATION = st.from_regex(r"o-[a-z0-9]{10,32}", fullmatch=True)
ACCOUNT = st.from_regex(r"[0-9]{12}", fullmatch=True)
NAMED = st.one_of(
    st.tuples(st.just("aws:PrincipalOrgID"), ORGANIZATION),
    st.tuples(st.sampled_from(["aws:PrincipalAccount", "AWS:SourceAccount"]), ACCOUNT),
    st.tuples(st.just("aws:SourceVpc"), st.from_regex(r"vpc-[0-9a-f]{17}", fullmatch=True)),
    st.tuples(st.just("aws:PrincipalArn"), ACCOUNT.map("arn:aws:iam::{}:role/ml".format)),
)
"""Keys that name a caller, and values that do."""


def _bucket_policy(condition: dict[str, Any]) -> Resource:
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::example/*",
        "Condition": condition,
    }
    return Resource("aws:s3/bucketPolicy:BucketPolicy", {"policy": {"Statement": [statement]}}, name="x")


@settings(max_examples=60)
@given(
    named=NAMED,
    operator=st.sampled_from(["StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnLike"]),
    quantifier=st.sampled_from(["", "ForAnyValue:"]),
    spoilt=st.sampled_from([None, "IfExists", "wildcard", "not", "one more", "ForAllValues"]),
)
def test_everybody_is_narrowed_by_what_has_to_be_there_and_names_somebody(
    named: tuple[str, str], operator: str, quantifier: str, spoilt: str | None
) -> None:
    """MR-2: any operator that compares, any spelling of the key; and each way not to narrow."""
    key, value = named
    values: list[str] = [value]
    if spoilt == "wildcard":
        values = [value.replace(value.split(":")[4] if ":" in value else value[3:], "*")]
    elif spoilt == "one more":
        values.append("*")
    name = quantifier + operator
    if spoilt == "IfExists":
        name += "IfExists"
    elif spoilt == "not":
        name = name.replace("String", "StringNot").replace("ArnLike", "ArnNotLike")
    elif spoilt == "ForAllValues":
        name = f"ForAllValues:{operator}"
    broken = names([_bucket_policy({name: {key: values}, "Bool": {"aws:SecureTransport": "true"}})])
    assert ("iam-principals-named" in broken) == (spoilt is not None)


@settings(max_examples=30)
@given(
    before=st.from_regex(r"[a-z]{0,8}", fullmatch=True),
    wildcard=st.sampled_from("*?"),
    operator=st.sampled_from(
        ["StringEquals", "StringEqualsIgnoreCase", "ForAnyValue:StringEquals", "StringLike"]
    ),
)
def test_a_wildcard_that_is_compared_as_itself_is_found(before: str, wildcard: str, operator: str) -> None:
    """MR-2: by any operator without wildcards; policy variables that stand for one are no mistake."""
    account = f"system:serviceaccount:ml:{before}{wildcard}"
    plain = {"StringEquals": TRUST["Condition"]["StringEquals"]}
    for value, wrong in ((account, operator != "StringLike"), (f"{before}${{{wildcard}}}", False)):
        condition = {**plain, operator: {**plain.get(operator, {}), "oidc.example.com:amr": value}}
        trust = {"Statement": [{**TRUST, "Condition": condition}]}
        broken = names([Resource("aws:iam/role:Role", {"assumeRolePolicy": trust}, name="x")])
        assert broken == ({"wildcards-that-match"} if wrong else set())


EGRESS = [{"to": [{"podSelector": {}}]}]


@pytest.mark.parametrize(
    ("spec", "missing"),
    [
        ({}, "egress"),
        ({"ingress": []}, "egress"),
        ({"egress": []}, "egress"),
        ({"egress": None}, "egress"),
        ({"ingress": [], "egress": []}, "egress"),
        ({"egress": EGRESS}, ""),
        ({"policyTypes": [], "egress": []}, "egress"),
        ({"policyTypes": None, "egress": EGRESS}, ""),
        ({"policyTypes": ["Ingress"], "egress": EGRESS}, "egress"),
        ({"policyTypes": ["Egress"]}, "ingress"),
        ({"policyTypes": ["Egress"], "ingress": []}, "ingress"),
        ({"policyTypes": ["Egress", "Ingress"]}, ""),
        ({"policyTypes": ["Ingress", "Egress"], "egress": []}, ""),
    ],
)
def test_a_network_policy_isolates_what_the_api_server_makes_of_it(
    spec: dict[str, Any], missing: str
) -> None:
    """NET-13, CARD-1: Ingress where no type is said, Egress too where there is a rule for it."""
    resources = [item for item in good() if item.kind != POLICY]
    namespaces = {item.namespace for item in resources if item.kind == "apps/Deployment"}
    for namespace in namespaces:
        metadata = {"name": "all", "namespace": namespace}
        policy = {"metadata": metadata, "spec": {"podSelector": {}, **spec}}
        resources.append(Resource("kubernetes:networking.k8s.io/v1:NetworkPolicy", policy))
    said = {item.violation.evidence for item in found(resources).found if item.rule.name == "pods-isolated"}
    assert said == ({f"no NetworkPolicy selects its pods for {missing}"} if missing else set())


@pytest.mark.parametrize(
    ("kind", "namespace", "isolates"),
    [
        ("cilium.io/v2:CiliumNetworkPolicy", "same", True),
        ("cilium.io/v2:CiliumNetworkPolicy", "elsewhere", False),
        ("cilium.io/v2:CiliumClusterwideNetworkPolicy", None, True),
        ("crd.projectcalico.org/v1:NetworkPolicy", "same", True),
        ("projectcalico.org/v3:GlobalNetworkPolicy", None, True),
        ("example.com/v1:NetworkPolicy", "same", False),
    ],
)
def test_policies_of_a_network_plugin_isolate_in_their_own_words(
    kind: str, namespace: str | None, isolates: bool
) -> None:
    """NET-13, CARD-1: which pods they govern is not judged; those without any are told."""
    resources = [item for item in good() if item.kind != POLICY]
    places = {item.namespace for item in resources if item.kind == "apps/Deployment"}
    for place in places if namespace == "same" else {namespace}:
        metadata = {"name": "all", **({"namespace": place} if place else {})}
        resources.append(Resource(f"kubernetes:{kind}", {"metadata": metadata, "spec": {}}))
    assert ("pods-isolated" in names(resources)) == (not isolates)


def test_a_rule_in_a_direction_that_a_policy_does_not_govern_opens_nothing() -> None:
    """CARD-1: whether somebody else governs it is another rule's question."""
    spec = {"podSelector": {}, "policyTypes": ["Ingress"], "egress": [{}]}
    policy = {"metadata": {"name": "all", "namespace": "ml"}, "spec": spec}
    assert names([Resource("kubernetes:networking.k8s.io/v1:NetworkPolicy", policy)]) == set()
    spec["policyTypes"] = ["Egress"]
    assert names([Resource("kubernetes:networking.k8s.io/v1:NetworkPolicy", policy)]) == {
        "egress-with-destination"
    }


@settings(max_examples=30)
@given(
    data=st.binary(min_size=0, max_size=60),
    iv=st.binary(min_size=32, max_size=32),
    tag=st.binary(min_size=16, max_size=16),
    kind=st.sampled_from(["str", "int", "float", "bool", "bytes"]),
)
def test_no_cipher_text_of_sops_is_taken_for_a_secret(data: bytes, iv: bytes, tag: bytes, kind: str) -> None:
    """UX-3, REG-4: in a Secret, a ConfigMap, an environment; the same value in plain text is."""
    parts = [base64.b64encode(part).decode() for part in (data, iv, tag)]
    cipher = "ENC[AES256_GCM,data:{},iv:{},tag:{},type:{}]".format(*parts, kind)
    for value, wrong in ((cipher, False), ("x9Kq2-dummy-Zr77", True)):
        metadata = {"name": "x", "namespace": "ml"}
        secret = {"metadata": metadata, "stringData": {"password": value}}
        pod = {"metadata": metadata, "spec": {"containers": [{"env": [{"name": "API_KEY", "value": value}]}]}}
        broken = names(
            [
                Resource("kubernetes:core/v1:Secret", secret, origin="file"),
                Resource("kubernetes:core/v1:ConfigMap", {"metadata": metadata, "data": {"password": value}}),
                Resource("kubernetes:core/v1:Pod", pod),
            ]
        )
        about = {"no-secrets-in-files", "no-secrets-in-config-maps", "no-secrets-in-environment"}
        assert broken & about == (about if wrong else set())


@settings(max_examples=30)
@given(
    kind=st.sampled_from(["Service", "ConfigMap", "Model", "Cluster"]),
    count=st.integers(0, 3),
    bare=st.booleans(),
)
def test_a_typed_list_is_its_items(
    tmp_path_factory: pytest.TempPathFactory, kind: str, count: int, bare: bool
) -> None:
    """CARD-4: with and without version and kind at each item, as kubectl reads it."""
    version = "v1" if kind in ("Service", "ConfigMap") else "michelangelo.api/v2"
    said = {} if bare else {"apiVersion": version, "kind": kind}
    items = [{**said, "metadata": {"name": f"n{n}", "namespace": "ml"}} for n in range(count)]
    path = tmp_path_factory.mktemp("list") / "list.yaml"
    path.write_text(yaml.safe_dump({"apiVersion": version, "kind": f"{kind}List", "items": items}))
    read = [item.subject for item in files.read([path]).resources]
    assert read == [f"{kind}/ml/n{n}" for n in range(count)]


CIPHER = "ENC[AES256_GCM,data:q83vEjRWeJA=,iv:{}=,tag:{}==,type:str]".format("A" * 43, "A" * 22)


@pytest.mark.parametrize(
    ("kind", "pattern", "value", "wrong"),
    [
        ("sops", r"secret-(\S+)\.enc\.yaml", CIPHER, False),
        ("sops", r"secret-(\S+)\.enc\.yaml", "dummy-value-in-plain-text", True),
        ("sealed", r"sealedsecret-(\S+)\.yaml", "AgBy3i4OJSWK+PiTySYZZA9rO43cGDEq", False),
    ],
)
def test_encrypted_secrets_of_a_rendered_tree_are_no_secrets_in_files(
    kind: str, pattern: str, value: str, wrong: bool, tmp_path: Path
) -> None:
    """UX-3, CARD-4: where the tree's own kustomizations name them, put there by hand."""
    Folder(tmp_path, "prod").write(render(gitops(kind), "flux").files)
    put = 0
    for kustomization in tmp_path.rglob("kustomization.yaml"):
        for match in re.finditer(rf"- ({pattern})\n", kustomization.read_text(encoding="utf-8")):
            key = "token" if match[2].endswith("token") else "cadata"
            head: dict[str, Any] = {"metadata": {"name": match[2], "namespace": "default"}}
            if kind == "sops":
                head |= {"apiVersion": "v1", "kind": "Secret", "data": {key: value}, "sops": {"mac": CIPHER}}
            else:
                head |= {"apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret"}
                head["spec"] = {"encryptedData": {key: value}}
            (kustomization.parent / match[1]).write_text(yaml.safe_dump(head), encoding="utf-8")
            put += 1
    assert put
    reading = files.read([tmp_path])
    assert reading.findings == []
    broken = [item.rule.name for item in found(reading.resources).found]
    assert broken == (["no-secrets-in-files"] * put if wrong else [])


@pytest.mark.parametrize(
    "key", ["credentialsSecret", "existingSecret", "tls_secret", "imagePullSecret", "clientSecret"]
)
@pytest.mark.parametrize("value", ["store-credentials", "Store/Credentials=="])
def test_the_name_of_a_secret_is_no_secret(key: str, value: str) -> None:
    """UX-3: of keys that refer to one, where the value can be a name."""
    metadata = {"name": "x", "namespace": "ml"}
    broken = names([Resource("kubernetes:core/v1:ConfigMap", {"metadata": metadata, "data": {key: value}})])
    named = key != "clientSecret" and value == "store-credentials"
    assert broken == (set() if named else {"no-secrets-in-config-maps"})
