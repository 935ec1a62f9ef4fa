"""`michelangelo:monitoring`: what Prometheus scrapes, records and alerts on, and what Grafana shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from madeploy.settings.base import Accepts, AnnotationKey, DnsLabel, DnsSubdomain, LabelValue, Section
from madeploy.settings.identities import RoleArn
from madeploy.settings.notifications import Url

Labels = Annotated[Mapping[AnnotationKey, LabelValue], Field(max_length=20)]

WorkspaceArn = Annotated[
    str,
    Field(pattern=r"^arn:aws(-[a-z]+)*:aps:[a-z0-9-]+:[0-9]{12}:workspace/ws-[0-9a-f-]+$"),
    Accepts(
        "arn:aws:aps:<region>:<account>:workspace/<id>",
        "arn:aws:aps:eu-west-1:123456789012:workspace/ws-11111111-2222-3333-4444-555555555555",
    ),
]
"""ARN of a workspace of Amazon Managed Service for Prometheus."""


class Dashboards(Section):
    """Where Grafana gets the dashboard from."""

    kind: Literal["sidecar", "grafanaOperator", "none"] = "sidecar"
    """`sidecar`: a ConfigMap that the sidecar of Grafana's chart finds by its labels; `grafanaOperator`: a
    `GrafanaDashboard`; `none`: no dashboard. Default `sidecar`."""

    labels: Labels = Field(default_factory=dict)
    """Labels that the sidecar looks for, or those of the `Grafana` that takes the dashboard. Default:
    `grafana_dashboard: "1"` for the sidecar, `dashboards: grafana` for the operator."""


class AmazonPrometheus(Section):
    """A workspace of Amazon Managed Service for Prometheus, which a Prometheus in the cluster writes to."""

    workspace_arn: WorkspaceArn
    """ARN of the workspace. Its region is the one that requests are signed for."""

    role_arn: RoleArn | None = None
    """Role that Prometheus takes to write, with `aps:RemoteWrite` on the workspace, as one of the workspace's
    account where that is another. Default: the role of Prometheus' own ServiceAccount."""

    service_account: DnsSubdomain | None = Field(default=None, examples=["prometheus-server"])
    """ServiceAccount of Prometheus in `network.monitoringNamespace`, which gets a role of this environment
    that may write to the workspace, or take `roleArn`; `storage.kind` is `aws`. EKS Pod Identity hands it
    out; by IRSA the account's owner annotates it with the output `iam_roles.metrics`. Default: its role is
    made elsewhere."""


class Monitoring(Section):
    """Off unless this section is there. Prometheus itself, Grafana and kube-state-metrics are the cluster's;
    `network.monitoringNamespace` says where they scrape from."""

    kind: Literal["operator", "files"] = "operator"
    """`operator`: PodMonitors and a PrometheusRule for the Prometheus operator; `files`: the same as
    configuration files, in a ConfigMap for a plain Prometheus. Default `operator`."""

    labels: Labels = Field(default_factory=dict)
    """Labels of the PodMonitors and the PrometheusRule, where Prometheus selects by some, such as `release:
    kube-prometheus-stack`. Default: none."""

    interval_seconds: int = Field(default=30, ge=5, le=300)
    """Seconds between scrapes. Default 30."""

    alerts: bool = True
    """Whether there are alerts. Default true."""

    runbooks: Url | None = None
    """Where `docs/findings.md` is read: start of the alerts' links, to which `#<code>` is added. Default: the
    links name the file alone."""

    run_minutes: int = Field(default=60, ge=1, le=10080)
    """Minutes after which a finished run is reported as long. Default 60."""

    serving_namespaces: tuple[DnsLabel, ...] = ()
    """Namespaces of inference servers and their Gateways, to be scraped on this cluster. Default: none."""

    kuberay: bool = False
    """Whether KubeRay's operator is scraped, where this cluster runs jobs, too. Default false."""

    dashboards: Dashboards = Dashboards()
    """The dashboard."""

    amazon: AmazonPrometheus | None = None
    """Amazon Managed Service for Prometheus. Default: none."""
