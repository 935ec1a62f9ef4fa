"""What the network guide warns of, in the words of clients, browsers and proxies."""

from __future__ import annotations

from typing import Final

from madeploy.findings.symptoms.symptom import Symptom

NETWORK: Final = (
    Symptom(
        "network guide, HTTP/2 requirement",
        "MA943",
        r"upstream sent (too large|invalid) http2 frame|upstream prematurely closed connection.*grpc"
        r"|unexpected HTTP status code received from server: 502",
        "rpc error: code = Unavailable desc = unexpected HTTP status code received from server: 502 (Bad "
        'Gateway); transport: received unexpected content-type "text/html"',
        "the front door calls the API server by HTTP/1.1",
        "Bring the annotation backend-protocol GRPC back, and see row 2 of the checklist:\n"
        "env PULUMI_K8S_ENABLE_PATCH_FORCE=true pulumi up --refresh --stack {stack}\n"
        "bin/madeploy verify {stack}",
    ),
    Symptom(
        "network guide, CORS configuration",
        "MA992",
        r"from origin '(?P<origin>[^']+)' has been blocked by CORS policy",
        "Access to fetch at 'https://app.ml.example.com/michelangelo.api.v2.ProjectService/ListProject' from "
        "origin 'https://studio.example.com' has been blocked by CORS policy: No "
        "'Access-Control-Allow-Origin' header is present on the requested resource.",
        "Envoy does not accept pages of {origin}",
        "Add {origin} to cors.additionalOrigins, then:\n"
        "pulumi up --stack {stack}\n"
        "bin/madeploy verify {stack}",
    ),
    Symptom(
        "network guide, verifying connectivity",
        "MA983",
        r"(?P<status>404|415)\D.*/(healthz|readyz|livez)|/(healthz|readyz|livez)\W.*\b(?P<after>404|415)\b"
        r"|HTTP probe failed with statuscode: 404",
        "Readiness probe failed: HTTP probe failed with statuscode: 404",
        "no service of the platform answers /healthz or /readyz, whatever its state",
        "Ask what there is: the metrics port, a call through the door:\nbin/madeploy verify {stack}",
    ),
    Symptom(
        "network guide, TLS with cert-manager",
        "MA949",
        r"wrong status code '?(?P<status>\d+)'?, expected '?200'?|failed to perform self check GET request",
        "Waiting for HTTP-01 challenge propagation: wrong status code '404', expected '200'",
        "the authority, or cert-manager itself, does not reach the challenge through the front door",
        "See that the domain leads to the front door, and that port 80 is open:\n"
        "bin/madeploy doctor {stack}\n"
        "{hub} -n {namespace} describe challenge",
    ),
    Symptom(
        "network guide, Envoy TLS termination",
        "MA989",
        r"first record does not look like a TLS handshake|WRONG_VERSION_NUMBER",
        "tls: first record does not look like a TLS handshake",
        "something speaks TLS to a port that speaks plaintext, as the API server's 15566 does",
        "Set controlPlane.worker.apiAccess to inCluster, or use the API's domain, then:\n"
        "pulumi up --stack {stack}",
    ),
)
