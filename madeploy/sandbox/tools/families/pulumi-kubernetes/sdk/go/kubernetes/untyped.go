// Package kubernetes holds what the provider plugin takes from Pulumi's Kubernetes SDK for Go.
//
// The SDK is a package for each Kubernetes API group, more than half of a build of the plugin; the plugin
// uses the six types and functions of this module.
package kubernetes

import "reflect"

// UntypedArgs are the properties of a Kubernetes object, by name, which no Go type describes.
type UntypedArgs map[string]any

// ElementType makes UntypedArgs a pulumi.Input: it resolves to a plain map.
func (UntypedArgs) ElementType() reflect.Type { return reflect.TypeFor[map[string]any]() }
