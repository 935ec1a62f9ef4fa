"""Configuration of the API server, the controller manager and the worker."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from madeploy.releases import keys
from madeploy.schemas.service_keys import fits
from manifests.service_config import CONFIGURED, ConfiguredName, base_config, base_yaml
from tests.support.environments import ALL, environment, gateway_minio, minimal, production_aws
from tests.support.proves import proves

SECTIONS = {
    "apiserver": {"apiserver", "k8s", "metadataStorage", "logging"},
    "controllermgr": {
        "controllermgr",
        "controllers",
        "k8s",
        "minio",
        "workflowClient",
        "metadataStorage",
        "logging",
    },
    "worker": {"worker", "workflow-engine", "minio", "logging"},
}
"""The safe emission profile (facts 2.4)."""


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("service", CONFIGURED)
def test_every_emitted_key_is_one_the_service_reads_and_of_its_type(
    service: ConfiguredName, name: str
) -> None:
    """CP-6 (V2): services stop at start-up on a key they do not know."""
    chosen = ALL[name]()
    config = base_config(chosen, service)
    parts = {"mysql", "pipeline", "pipelineRun", "notification", "jobs", "inferenceServer"}
    optional = parts if name == "every_part" else set()
    assert SECTIONS[service] <= config.keys() <= SECTIONS[service] | optional
    for entry in keys.entries(chosen.release.keys[service], config):
        assert entry.key is not None, entry.path
        assert not entry.key.secret, entry.path
        if entry.path != ("workflow-engine", "workers"):
            assert fits(entry.key.type, entry.value), entry.path


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("service", CONFIGURED)
def test_no_key_or_password_is_in_a_configuration_file(service: ConfiguredName, name: str) -> None:
    """CP-6: ConfigMaps are not for secrets; the API server even logs its configuration."""
    text = base_yaml(ALL[name](), service)
    for word in ("awsAccessKeyId", "awsSecretAccessKey", "password"):
        assert word not in text


def test_the_api_server_listens_on_every_address_and_deletes_no_definition() -> None:
    """CP-1, CP-8: the file built into the image binds to loopback and allows deletion."""
    config = base_config(minimal(), "apiserver")
    assert config["apiserver"]["yarpc"] == {"host": "0.0.0.0", "port": 15566}
    assert config["apiserver"]["crdSync"] == {
        "enableCRDUpdate": True,
        "enableCRDDeletion": False,
        "skipIncompatibleCheck": False,
    }
    assert config["k8s"] == {"qps": 300, "burst": 600}


def test_bind_addresses_of_the_controller_manager_are_texts_with_a_colon() -> None:
    """CP-2 (facts 2.3 row 3): a bare number fails to bind."""
    assert base_config(minimal(), "controllermgr")["controllermgr"] == {
        "metricsBindAddress": ":8091",
        "healthProbeBindAddress": ":8083",
        "leaderElection": True,
        "leaderElectionID": "michelangelo-controllermgr",
    }


@pytest.mark.parametrize(
    ("engine", "client", "worker"),
    [("temporal", "Temporal", "temporal"), ("cadence", "Cadence", "cadence")],
)
def test_the_workflow_engine_is_spelt_as_each_service_wants_it(engine: str, client: str, worker: str) -> None:
    """CP-3 (facts 2.3 rows 5, 6): capital for the one, lower case for the other."""
    chosen = environment(workflow={"engine": engine, "host": "engine.example.com:7233"})
    assert base_config(chosen, "controllermgr")["workflowClient"]["provider"] == client
    assert base_config(chosen, "worker")["workflow-engine"]["provider"] == worker


@proves("CP-3")
def test_the_worker_polls_every_queue_the_platform_uses_once_and_in_one_domain() -> None:
    """CP-3 (facts 2.3 rows 7 to 9): a queue without pollers leaves work undone for ever."""
    engine = base_config(production_aws(), "worker")["workflow-engine"]
    client = base_config(production_aws(), "controllermgr")["workflowClient"]
    assert [row["taskList"] for row in engine["workers"]] == [
        "trigger_run",
        "pipeline_run",
        "notification_worker",
        "production-uniflow",
        "team-a",
    ]
    assert client["taskList"] == "production-uniflow"
    domains = {row["domain"] for row in engine["workers"]}
    assert domains == {engine["client"]["domain"]} == {client["domain"]} == {"uniflow"}


def test_cadence_keeps_its_transport_and_both_sides_use_tls_where_the_environment_does() -> None:
    """CP-3."""
    chosen = environment(
        workflow={"engine": "cadence", "host": "cadence.example.com:7933", "transport": "tchannel"}
    )
    assert base_config(chosen, "worker")["workflow-engine"]["transport"] == "tchannel"
    assert base_config(chosen, "controllermgr")["workflowClient"]["transport"] == "tchannel"
    assert base_config(production_aws(), "worker")["workflow-engine"]["useTLS"] is True
    assert base_config(production_aws(), "controllermgr")["workflowClient"]["useTLS"] is True


@pytest.mark.parametrize(
    ("storage", "expected"),
    [
        (
            {"kind": "existing", "region": "eu-west-1", "buckets": {"workspace": "aaa", "models": "bbb"}},
            {
                "awsRegion": "eu-west-1",
                "awsEndpointUrl": "s3.eu-west-1.amazonaws.com",
                "secure": True,
                "useIam": True,
            },
        ),
        (
            {"kind": "existing", "region": "cn-north-1", "buckets": {"workspace": "aaa", "models": "bbb"}},
            {
                "awsRegion": "cn-north-1",
                "awsEndpointUrl": "s3.cn-north-1.amazonaws.com.cn",
                "secure": True,
                "useIam": True,
            },
        ),
        (
            {"kind": "s3Compatible", "endpoint": "http://minio.example.com:9000"},
            {"awsRegion": "us-east-1", "awsEndpointUrl": "minio.example.com:9000", "secure": False},
        ),
        (
            {"kind": "s3Compatible", "endpoint": "https://minio.example.com", "region": "local-1"},
            {"awsRegion": "local-1", "awsEndpointUrl": "minio.example.com", "secure": True},
        ),
    ],
)
def test_the_object_store_is_named_without_a_scheme_and_with_tls_said_outright(
    storage: dict[str, Any], expected: dict[str, Any]
) -> None:
    """CP-6, MR-2 (facts 2.3 rows 10, 11): the client refuses a scheme and defaults to plain HTTP."""
    chosen = environment(storage=storage)
    assert base_config(chosen, "controllermgr")["minio"] == expected
    assert base_config(chosen, "worker")["minio"] == expected


def test_the_workers_address_follows_from_the_domain_or_the_service() -> None:
    """NET-8, CP-3 (facts 2.3 row 16): TLS by the front door, none to the Service."""
    assert base_config(minimal(), "worker")["worker"] == {
        "address": "michelangelo-apiserver.ma-system.svc.cluster.local:15566",
        "maApiServiceName": "ma-apiserver",
        "useTLS": False,
    }
    assert base_config(gateway_minio(), "worker")["worker"] == {
        "address": "api.ml.example.com:443",
        "maApiServiceName": "ma-apiserver",
        "useTLS": True,
    }


def test_overrides_are_merged_as_the_services_merge_files() -> None:
    """CP-6 (facts 2.1): maps key by key, anything else replaced, sections added."""
    mysql = {"enabled": False, "host": "mysql.example.com"}
    chosen = environment(
        controlPlane={
            "apiserver": {"config": {"apiserver": {"crdSync": {"skipIncompatibleCheck": True}}}},
            "controllermgr": {"config": {"mysql": mysql, "logging": {"encoding": "console"}}},
        }
    )
    assert base_config(chosen, "apiserver")["apiserver"] == {
        "yarpc": {"host": "0.0.0.0", "port": 15566},
        "crdSync": {"enableCRDUpdate": True, "enableCRDDeletion": False, "skipIncompatibleCheck": True},
    }
    config = base_config(chosen, "controllermgr")
    assert config["mysql"] == mysql
    assert config["logging"] == {"level": "info", "development": False, "encoding": "console"}
    assert config["workflowClient"]["provider"] == "Temporal"


def test_the_log_level_is_the_environments() -> None:
    """CP-6, OPS-3."""
    assert base_config(production_aws(), "worker")["logging"]["level"] == "warn"
    assert base_config(production_aws(), "controllermgr")["logging"]["level"] == "info"


@given(text=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=40))
def test_what_an_operator_writes_reaches_the_service_unexpanded(text: str) -> None:
    """CP-6 (facts 2.1): the services replace `$NAME` and `${NAME}` in this file, and `$$` by `$`."""
    override = {"config": {"mysql": {"host": text}}}
    emitted = base_yaml(environment(controlPlane={"controllermgr": override}), "controllermgr")
    assert "$" not in emitted.replace("$$", "")
    assert yaml.safe_load(emitted.replace("$$", "$"))["mysql"]["host"] == text
