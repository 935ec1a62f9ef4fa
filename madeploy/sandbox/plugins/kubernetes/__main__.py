"""`pulumi-resource-kubernetes`: started by the engine with its address."""

import sys

from madeploy.sandbox.plugins.kubernetes.provider import KubernetesProvider
from madeploy.sandbox.plugins.server import serve

if __name__ == "__main__":
    serve(KubernetesProvider(), sys.argv)
