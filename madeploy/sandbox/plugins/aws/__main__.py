"""`pulumi-resource-aws`: started by the engine with its address."""

import sys

from madeploy.sandbox.plugins.aws.provider import AwsProvider
from madeploy.sandbox.plugins.server import serve

if __name__ == "__main__":
    serve(AwsProvider(), sys.argv)
