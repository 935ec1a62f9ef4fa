// Command pulumi-resource-aws is the AWS provider behind Pulumi's bridge, with the resource types that the
// toolkit uses. It takes and gives what Pulumi's own AWS plugin does for them.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/hashicorp/terraform-provider-aws/xpprovider"
	pf "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	sdkv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/x/muxer"
	"github.com/pulumi/pulumi-terraform-bridge/v3/unstable/metadata"
)

// version is set by the linker.
var version = "0.0.0"

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	// Half of the provider's resource types are written with one of HashiCorp's SDKs, half with the other.
	framework, sdk, err := xpprovider.GetProvider(ctx)
	if err != nil {
		return fmt.Errorf("the AWS provider does not start: %w", err)
	}
	both := pf.MuxShimWithDisjointgPF(ctx, sdkv2.NewProvider(sdk), framework)
	info := tfbridge.ProviderInfo{
		P:                              both,
		Name:                           "aws",
		Version:                        version,
		MetadataInfo:                   tfbridge.NewProviderMetadata([]byte("{}")),
		Config:                         configuration,
		Resources:                      resources(),
		DataSources:                    functions,
		EnableAccuratePFBridgePreview:  true,
		EnableZeroDefaultSchemaVersion: true,
	}
	info.SetAutonaming(255, "-")
	// Which half serves which type is written down when Pulumi generates its SDKs, and asked here.
	dispatcher := both.(interface {
		ResolveDispatch(*tfbridge.ProviderInfo) (muxer.DispatchTable, error)
	})
	table, err := dispatcher.ResolveDispatch(&info)
	if err != nil {
		return err
	}
	if err := metadata.Set(info.GetMetadata(), "mux", table); err != nil {
		return err
	}
	schema := fmt.Sprintf(`{"name": "aws", "version": %q}`, version)
	pf.MainWithMuxer(ctx, "aws", info, []byte(schema))
	return nil
}
