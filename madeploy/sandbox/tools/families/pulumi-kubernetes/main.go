// Command pulumi-resource-kubernetes is Pulumi's Kubernetes provider plugin, started as its own repository
// starts it.
package main

import (
	_ "embed"
	"fmt"
	"os"
	"slices"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version"
)

// Both lie in the provider's module; the build puts them beside this file.
var (
	//go:embed schema.json
	schema []byte
	//go:embed terraform-mapping.json
	terraformMapping []byte
)

func main() {
	if slices.Equal(os.Args[1:], []string{"--version"}) {
		fmt.Println(version.Version)
		return
	}
	provider.Serve("kubernetes", version.Version, schema, terraformMapping)
}
