package main

import (
	"context"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// withDefaultTags adds the provider's default tags to a resource's own, which win: like this they stand in its
// inputs, where a preview shows them.
func withDefaultTags(_ context.Context, inputs, settings resource.PropertyMap) (resource.PropertyMap, error) {
	defaults, isObject := member(settings["defaultTags"], "tags")
	if !isObject {
		return inputs, nil
	}
	own := inputs["tags"]
	if own.ContainsUnknowns() && !contents(own).IsObject() {
		return inputs, nil // tags that are all unknown yet
	}
	tags := resource.PropertyMap{}
	for key, value := range defaults {
		tags[key] = value
	}
	if object := contents(own); object.IsObject() {
		for key, value := range object.ObjectValue() {
			tags[key] = value
		}
	}
	result := inputs.Copy()
	result["tags"] = resource.NewProperty(tags)
	if own.ContainsSecrets() {
		result["tags"] = resource.MakeSecret(result["tags"])
	}
	return result, nil
}

// member is the object that an object holds under key.
func member(object resource.PropertyValue, key resource.PropertyKey) (resource.PropertyMap, bool) {
	object = contents(object)
	if !object.IsObject() {
		return nil, false
	}
	value := contents(object.ObjectValue()[key])
	if !value.IsObject() {
		return nil, false
	}
	return value.ObjectValue(), true
}

// contents is what a secret or an output holds, or the value itself.
func contents(value resource.PropertyValue) resource.PropertyValue {
	for {
		switch {
		case value.IsSecret():
			value = value.SecretValue().Element
		case value.IsOutput() && value.OutputValue().Known:
			value = value.OutputValue().Element
		default:
			return value
		}
	}
}
