"""What the AWS plugin's modules must have changed to be built here: services that are left out, versions that
differ from those they were written against."""

from __future__ import annotations

from typing import Final

from madeploy.sandbox.tools.edits import EditedModule, Registration, Substitution

WAIT_VARIABLE: Final = "MADEPLOY_AWS_WAIT_SECONDS"
"""The environment variable that fixes the pause between two looks of the AWS plugin that is built here."""

SERVICES: Final = ("eks", "iam", "kms", "s3", "s3control", "sts")
_MODULE: Final = "github.com/hashicorp/terraform-provider-aws"
PROVIDER: Final = EditedModule(
    _MODULE,
    (
        # Of 256 services those of the toolkit's resources, and what these use.
        Registration(
            "internal/provider/sdkv2/service_packages_gen.go",
            f"{_MODULE}/internal/service/",
            SERVICES,
        ),
        Registration(
            "internal/conns/awsclient_gen.go",
            "github.com/aws/aws-sdk-go-v2/service/",
            (*SERVICES, "resourcegroupstaggingapi"),
        ),
        # Files of services that are left out.
        Substitution("internal/embed.go", "//go:embed service/*/smarterr.hcl\n", ""),
        # An emulation of AWS is consistent at once, and the provider waits a minute after some changes to see
        # that AWS is. Whoever runs it with an emulation may fix the pause between two looks.
        Substitution(
            "internal/backoff/backoff.go",
            'import (\n\t"context"\n\t"time"\n',
            'import (\n\t"context"\n\t"os"\n\t"strconv"\n\t"time"\n',
        ),
        Substitution(
            "internal/backoff/backoff.go",
            "\tif n == 0 {\n\t\treturn d.initialDelay\n",
            f'\tif seconds, err := strconv.ParseFloat(os.Getenv("{WAIT_VARIABLE}"), 64); err == nil {{\n'
            "\t\treturn time.Duration(seconds * float64(time.Second))\n\t}\n\n"
            "\tif n == 0 {\n\t\treturn d.initialDelay\n",
        ),
    ),
    directories={"": ("internal", "names", "version", "xpprovider"), "internal/service": SERVICES},
)
BRIDGE: Final = EditedModule(
    "github.com/pulumi/pulumi-terraform-bridge/v3",
    # The engine's packages are newer than those this was written against: a method more, a value by pointer.
    (
        Substitution(
            "pkg/pf/internal/plugin/provider_server.go",
            "pulumirpc.UnsafeResourceProviderServer // opt out of forward compat",
            "pulumirpc.UnimplementedResourceProviderServer",
        ),
        Substitution(
            "pkg/pf/internal/plugin/provider_context.go",
            "var _ plugin.Provider = (*provider)(nil)\n",
            "var _ plugin.Provider = (*provider)(nil)\n\n"
            "func (prov *provider) List(ctx context.Context, request plugin.ListRequest) "
            "(*plugin.ListStream, error) {\n"
            "\treturn (&plugin.UnimplementedProvider{}).List(ctx, request)\n}\n",
        ),
        Substitution(
            "pkg/x/muxer/mapping.go", "Provider = schema.ResourceSpec{}", "Provider = &schema.ResourceSpec{}"
        ),
        Substitution(
            "pkg/x/muxer/mapping.go",
            "(&m.dstSchema.Provider, m.srcSchema.Provider)",
            "(m.dstSchema.Provider, *m.srcSchema.Provider)",
        ),
    ),
    directories={"": ("internal", "pkg", "unstable")},
    # Mixes in providers that the plugin has none of, by the generators of all of Pulumi's SDKs.
    omitted=("pkg/pf/tfbridge/provider_mux.go",),
)
