"""The stand-ins serve the sandbox and nothing else, and say so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from madeploy.sandbox.plugins import endpoints
from madeploy.sandbox.plugins.aws.provider import RESOURCE_TYPES, rejections, session_of, type_of
from madeploy.sandbox.plugins.endpoints import EndpointError, Endpoints
from madeploy.sandbox.plugins.kubernetes import kubeconfig, options
from madeploy.sandbox.plugins.kubernetes.kubeconfig import KubeconfigError
from madeploy.sandbox.plugins.kubernetes.types import PatchedKind, read_type
from madeploy.sandbox.plugins.properties import UNKNOWN
from madeploy.sandbox.plugins.server import PluginError

CLUSTER = "https://127.0.0.1:7001"
AWS = "http://127.0.0.1:7002"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """The environment of a plugin of a running sandbox."""
    endpoints.write(tmp_path, [CLUSTER], AWS)
    return {endpoints.STATE_VARIABLE: str(tmp_path), "AWS_REGION": "us-east-1"}


@pytest.mark.parametrize(
    "url",
    [
        "https://10.0.0.1:6443",
        "https://127.0.0.1:7003",
        "http://127.0.0.1:7001",
        "https://kubernetes.example.org",
        "https://127.0.0.1:7001@evil.example.org:7001",
        "https://127.0.0.1.example.org:7001",
    ],
)
def test_other_clusters_are_refused(environ: dict[str, str], url: str) -> None:
    """SEC: a stand-in must never reach a production cluster, whatever kubeconfig it is given."""
    with pytest.raises(EndpointError, match="serves the sandbox only"):
        endpoints.of_environment(environ).require_cluster(url)


def test_the_sandboxs_servers_are_accepted(environ: dict[str, str]) -> None:
    """By address, with or without a slash at the end."""
    known = endpoints.of_environment(environ)
    known.require_cluster(CLUSTER)
    known.require_cluster(f"{CLUSTER}/")
    known.require_cluster("https://localhost:7001")
    known.require_aws(AWS)


@pytest.mark.parametrize("url", [None, "https://s3.amazonaws.com", "http://127.0.0.1:9999"])
def test_aws_itself_is_refused(environ: dict[str, str], url: str | None) -> None:
    """SEC: without an endpoint boto3 would talk to AWS."""
    with pytest.raises(EndpointError, match="serves the sandbox"):
        endpoints.of_environment(environ).require_aws(url)


def test_a_plugin_outside_the_sandbox_says_how_to_get_in(tmp_path: Path) -> None:
    """Errors are for people."""
    with pytest.raises(EndpointError, match="sandbox env"):
        endpoints.of_environment({})
    with pytest.raises(EndpointError, match="sandbox up"):
        endpoints.read(tmp_path)


def test_only_loopback_addresses_can_be_recorded(tmp_path: Path) -> None:
    """The list cannot be widened by mistake, nor by hand."""
    with pytest.raises(ValueError, match="loopback"):
        endpoints.write(tmp_path, ["https://10.0.0.1:6443"], None)
    (tmp_path / endpoints.FILE_NAME).write_text('{"clusters": ["https://10.0.0.1:6443"], "aws": null}')
    with pytest.raises(EndpointError, match="not on this machine"):
        endpoints.read(tmp_path)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    """The contract between the environment and the plugins."""
    endpoints.write(tmp_path / "new", [CLUSTER, "https://[::1]:7004"], None)
    assert endpoints.read(tmp_path / "new") == Endpoints((CLUSTER, "https://[::1]:7004"), None)


def test_a_credential_in_an_address_is_not_repeated(environ: dict[str, str]) -> None:
    """SEC: the refusal shows where, not who."""
    with pytest.raises(EndpointError) as caught:
        endpoints.of_environment(environ).require_cluster("https://someone:word@10.0.0.1:6443")
    assert "word" not in str(caught.value)


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("kubernetes:core/v1:ConfigMap", PatchedKind("v1", "ConfigMap")),
        ("kubernetes:apps/v1:Deployment", PatchedKind("apps/v1", "Deployment")),
        ("kubernetes:core/v1:ConfigMapPatch", PatchedKind("v1", "ConfigMap", True)),
        ("kubernetes:michelangelo.api/v2:Cluster", PatchedKind("michelangelo.api/v2", "Cluster")),
        ("kubernetes:example.org/v1:AllowList", PatchedKind("example.org/v1", "AllowList")),
    ],
)
def test_type_tokens_name_kinds(token: str, expected: PatchedKind) -> None:
    """As the SDK makes them, within URNs and by themselves."""
    assert read_type(token) == expected
    assert read_type(f"urn:pulumi:s::p::my:index:Component${token}::name") == expected


@pytest.mark.parametrize(
    "token",
    [
        "kubernetes:helm.sh/v3:Release",
        "kubernetes:helm.sh/v4:Chart",
        "kubernetes:yaml/v2:ConfigGroup",
        "kubernetes:yaml:ConfigFile",
        "kubernetes:kustomize/v2:Directory",
        "kubernetes:core/v1:ConfigMapList",
    ],
)
def test_charts_and_files_are_refused(token: str) -> None:
    """The project declares every object itself; the message says so."""
    with pytest.raises(PluginError, match=r"declare the objects|Declare the objects"):
        read_type(token)


def test_all_wrong_provider_options_are_told_at_once() -> None:
    """Errors: what, where, what is accepted, all at once."""
    wrong = {
        "renderYamlToDirectory": "out",
        "enableServerSideApply": "false",
        "kubeClientSettings": "fast",
        "contxt": "a",
    }
    with pytest.raises(PluginError) as caught:
        options.parse(wrong, {})
    for name in wrong:
        assert f"{name}:" in str(caught.value)


def test_options_come_from_the_program_or_the_environment() -> None:
    """The program wins, as in the official plugin."""
    chosen = options.parse(
        {"enableSecretMutable": "true", "deleteUnreachable": "false", "kubeClientSettings": '{"timeout": 7}'},
        {"PULUMI_K8S_DELETE_UNREACHABLE": "true", "PULUMI_K8S_SKIP_UPDATE_UNREACHABLE": "true"},
    )
    assert (chosen.enable_secret_mutable, chosen.delete_unreachable) == (True, False)
    assert (chosen.skip_update_unreachable, chosen.timeout) == (True, 7.0)


def test_strict_mode_wants_an_explicit_cluster() -> None:
    """As in the official plugin."""
    wrong = options.check_strict({"strictMode": "true", "kubeconfig": "x"}, True, {})
    assert [name for name, _ in wrong] == ["", "context"]
    assert options.check_strict({"kubeconfig": UNKNOWN, "context": "a"}, False, {"strictMode": "true"}) == []
    assert options.check_strict({}, True, {}) == []


def config(server: str, context: str = "c", **user: str) -> str:
    entry = "".join(f"{key}: {value}, " for key, value in user.items())
    return (
        f"current-context: {context}\n"
        f"contexts: [{{name: c, context: {{cluster: k, user: u, namespace: n}}}}]\n"
        f"clusters: [{{name: k, cluster: {{server: '{server}'}}}}]\n"
        f"users: [{{name: u, user: {{{entry}}}}}]\n"
    )


def test_only_another_cluster_replaces_a_provider_and_an_identifier_decides_alone() -> None:
    """Decision 7: edited credentials must not replace everything."""
    one, same, other = config(CLUSTER), config(CLUSTER, token="new"), config("https://127.0.0.1:1")
    assert options.diff({"kubeconfig": one}, {"kubeconfig": same}) == (["kubeconfig"], [])
    assert options.diff({"kubeconfig": one}, {"kubeconfig": other}) == (["kubeconfig"], ["kubeconfig"])
    known = {"clusterIdentifier": "a"}
    assert options.diff({**known, "kubeconfig": one}, {**known, "kubeconfig": other})[1] == []
    assert options.diff(known, {"clusterIdentifier": "b"})[1] == ["clusterIdentifier"]
    assert options.diff({"kubeconfig": one}, {"kubeconfig": UNKNOWN})[1] == ["kubeconfig"]
    assert options.diff(known, dict(known)) == ([], [])


@pytest.mark.parametrize("length", [8, 3_000])
def test_a_kubeconfig_on_one_line_of_json_is_contents_and_no_path(length: int) -> None:
    """CARD-3: it may be longer than any file name the system would look up."""
    data = yaml.safe_load(config(CLUSTER, token="w" * length))
    assert kubeconfig.load(json.dumps(data), {}).server == CLUSTER


def test_kubeconfigs_are_read_from_contents_files_and_the_environment(tmp_path: Path) -> None:
    """The three ways in which the provider's option may name one."""
    text = config(CLUSTER, token="word")
    file = tmp_path / "config"
    file.write_text(text)
    for given, environ in ((text, {}), (str(file), {}), (None, {"KUBECONFIG": str(file)})):
        found = kubeconfig.load(given, environ)
        assert (found.server, found.namespace, found.token) == (CLUSTER, "n", "word")
    assert kubeconfig.load(text, {}, namespace="other").namespace == "other"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (config(CLUSTER, context="d"), "there is no context 'd'"),
        (config("", token="word"), "has no server"),
        ("a: [word", "is no YAML"),
        ("just-a-word", "neither a file nor the contents"),
        (config(CLUSTER, exec="word"), "logs in by 'exec'"),
    ],
)
def test_a_wrong_kubeconfig_is_explained_without_quoting_it(text: str, told: str) -> None:
    """SEC: a kubeconfig is a credential, and YAML errors like to quote the line."""
    with pytest.raises(KubeconfigError, match=told) as caught:
        kubeconfig.load(text, {})
    assert "word" not in str(caught.value).replace("just-a-word", "")


def test_aws_sessions_use_the_sandboxs_endpoint_only(environ: dict[str, str]) -> None:
    """Options and environment as the official plugin reads them; another endpoint is refused."""
    values = {"defaultTags": '{"tags": {"a": "b"}}', "s3UsePathStyle": "true", "skipRegionValidation": "true"}
    session = session_of(values, {**environ, "AWS_ENDPOINT_URL": AWS})
    assert (session.endpoint, session.region, session.default_tags) == (AWS, "us-east-1", {"a": "b"})
    assert session_of({"endpoints": f'[{{"s3": "{AWS}", "iam": "{AWS}"}}]'}, environ).endpoint == AWS
    with pytest.raises(EndpointError):
        session_of({}, environ)
    with pytest.raises(EndpointError):
        session_of({"endpoints": f'[{{"s3": "{AWS}", "iam": "https://iam.amazonaws.com"}}]'}, environ)
    with pytest.raises(PluginError, match="assumeRoles"):
        session_of({"assumeRoles": '[{"roleArn": "x"}]'}, {**environ, "AWS_ENDPOINT_URL": AWS})


def test_unknown_aws_resources_and_properties_are_refused() -> None:
    """What the stand-in does not do it must not pretend to do."""
    with pytest.raises(PluginError, match="serves only"):
        type_of("urn:pulumi:s::p::aws:ec2/instance:Instance::name")
    bucket = RESOURCE_TYPES["aws:s3/bucket:Bucket"]
    assert [name for name, _ in rejections(bucket, {"bucket": "a", "website": {}})] == ["website"]
    role = RESOURCE_TYPES["aws:iam/role:Role"]
    assert [name for name, _ in rejections(role, {"name": "a"})] == ["assumeRolePolicy"]
