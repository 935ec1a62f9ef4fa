// Package v2 registers the objects of YAML documents and of charts.
package v2

import (
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// object is a Kubernetes object of any kind. The plugin asks for nothing but its URN and its ID.
type object struct{ pulumi.CustomResourceState }

// RegisterResource registers an object by the token that the SDKs give its kind.
func RegisterResource(ctx *pulumi.Context, apiVersion, kind, name string, props pulumi.Input,
	opts ...pulumi.ResourceOption,
) (pulumi.CustomResource, error) {
	module := apiVersion
	if !strings.Contains(apiVersion, "/") {
		module = "core/" + apiVersion // the group without a name
	}
	registered := &object{}
	err := ctx.RegisterResource("kubernetes:"+module+":"+kind, name, props, registered, opts...)
	if err != nil {
		return nil, err
	}
	return registered, nil
}
