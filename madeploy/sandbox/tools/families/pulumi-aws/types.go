package main

import (
	"strings"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
)

type fields = map[string]*tfbridge.SchemaInfo

// configuration is where the plugin's settings differ from the provider's: blocks of which there can be one
// are an object, not a list, and settings that the provider has as text are true or false.
var configuration = fields{
	"assume_role_with_web_identity": {MaxItemsOne: tfbridge.True()},
	"default_tags":                  {MaxItemsOne: tfbridge.True()},
	"ignore_tags":                   {MaxItemsOne: tfbridge.True()},
	"region": {Default: &tfbridge.DefaultInfo{
		EnvVars: []string{"AWS_REGION", "AWS_DEFAULT_REGION"},
	}},
	"skip_metadata_api_check": {Type: "boolean"},
	"skip_region_validation":  {Default: &tfbridge.DefaultInfo{Value: true}},
}

var functions = map[string]*tfbridge.DataSourceInfo{
	"aws_caller_identity": {Tok: tfbridge.MakeDataSource("aws", "index", "getCallerIdentity")},
}

// resources are the resource types by the provider's names.
func resources() map[string]*tfbridge.ResourceInfo {
	one := &tfbridge.SchemaInfo{MaxItemsOne: tfbridge.True()}
	document := &tfbridge.SchemaInfo{Transform: tfbridge.TransformJSONDocument}
	types := map[string]*tfbridge.ResourceInfo{
		"aws_eks_pod_identity_association": mapped("eks", "PodIdentityAssociation", nil),
		"aws_iam_openid_connect_provider":  mapped("iam", "OpenIdConnectProvider", nil),
		"aws_iam_policy": mapped("iam", "Policy", fields{
			"name": tfbridge.AutoName("name", 128, "-"), "policy": document,
		}),
		"aws_iam_role": mapped("iam", "Role", fields{
			"name": tfbridge.AutoName("name", 64, "-"), "assume_role_policy": document,
		}),
		"aws_iam_role_policy":            mapped("iam", "RolePolicy", fields{"policy": document}),
		"aws_iam_role_policy_attachment": mapped("iam", "RolePolicyAttachment", nil),
		"aws_kms_alias":                  mapped("kms", "Alias", nil),
		"aws_kms_key":                    mapped("kms", "Key", fields{"policy": document}),
		"aws_s3_bucket": mapped("s3", "Bucket", fields{
			"bucket": tfbridge.AutoNameTransform("bucket", 63, strings.ToLower), "policy": document,
		}),
		"aws_s3_bucket_lifecycle_configuration": mapped("s3", "BucketLifecycleConfiguration", fields{
			"rule": elements(fields{
				"abort_incomplete_multipart_upload": one,
				"expiration":                        one,
				"filter":                            elementOf(fields{"and": one, "tag": one}),
				"noncurrent_version_expiration":     one,
			}),
		}),
		"aws_s3_bucket_logging":                   mapped("s3", "BucketLogging", nil),
		"aws_s3_bucket_object_lock_configuration": mapped("s3", "BucketObjectLockConfiguration", nil),
		"aws_s3_bucket_ownership_controls":        mapped("s3", "BucketOwnershipControls", nil),
		"aws_s3_bucket_policy":                    mapped("s3", "BucketPolicy", fields{"policy": document}),
		"aws_s3_bucket_public_access_block":       mapped("s3", "BucketPublicAccessBlock", nil),
		"aws_s3_bucket_server_side_encryption_configuration": mapped(
			"s3", "BucketServerSideEncryptionConfiguration", nil,
		),
		"aws_s3_bucket_versioning": mapped("s3", "BucketVersioning", nil),
	}
	for _, name := range []string{
		"aws_eks_pod_identity_association", "aws_iam_openid_connect_provider", "aws_iam_policy", "aws_iam_role",
		"aws_kms_key", "aws_s3_bucket",
	} {
		types[name].PreCheckCallback = withDefaultTags
	}
	return types
}

func mapped(module, name string, fields fields) *tfbridge.ResourceInfo {
	return &tfbridge.ResourceInfo{Tok: tfbridge.MakeResource("aws", module, name), Fields: fields}
}

// elements describes a list by the fields of its elements.
func elements(of fields) *tfbridge.SchemaInfo {
	return &tfbridge.SchemaInfo{Elem: &tfbridge.SchemaInfo{Fields: of}}
}

// elementOf describes a list of which there is one element, and which is that element.
func elementOf(of fields) *tfbridge.SchemaInfo {
	list := elements(of)
	list.MaxItemsOne = tfbridge.True()
	return list
}
