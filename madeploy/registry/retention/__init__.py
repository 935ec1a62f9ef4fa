"""Removal of models older than a window: objects first, then the `Model` (model-registry guide, retention).

One implementation, run in two places: by `madeploy models retention`, and every night by a CronJob in the
control plane's cluster. The CronJob has no image of ours: these modules are mounted from a ConfigMap into a
stock Python image and run by its interpreter. So they import the standard library and each other (by
relative imports, because the folder has another name there) and nothing else; requests to S3 are signed by
`signing`. An image with boto3 would be an image that somebody builds, and boto3 fetched when the job starts
would be a package index that nightly deletion depends on.

- `uris`: what an artifact URI covers, and which objects models that stay still need.
- `terms`, `engine`: what is removed and in which order; talks to the world through two small protocols.
- `transport`, `signing`, `s3`, `registry`: the CronJob's edges. The command has its own, over the clients.
- `__main__`: the CronJob's entry point.
"""
