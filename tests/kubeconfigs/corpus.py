"""Kubeconfigs of every form, legitimate and hostile, each with the verdict that is right for it.

A case is accepted when it names no code of an error. Texts are built when they are needed; credentials in
them are words that no system would issue.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import yaml

from tests.kubeconfigs.authorities import der as der_of
from tests.kubeconfigs.authorities import encoded, key_pem, pem
from tests.kubeconfigs.documents import (
    COMMAND,
    GKE,
    SERVER,
    Case,
    authority,
    bomb,
    document,
    edited,
    everything,
    login,
    many,
    of,
    pair,
    secret,
    text,
    token,
)


def _server(name: str, server: Any, *errors: str, **more: Any) -> Case:
    return Case(f"server {name}", of(cluster={"server": server}), errors, **more)


SERVERS = (
    _server("without a port", "https://compute.example.com", endpoint=("https://compute.example.com", "443")),
    _server("with a slash at its end", f"{SERVER}/"),
    _server("in capitals", "HTTPS://COMPUTE.EXAMPLE.COM:6443"),
    _server("with a final dot", "https://compute.example.com.:6443"),
    _server("with a port that starts with 0", "https://compute.example.com:06443"),
    _server(
        "with an empty port", "https://compute.example.com:", endpoint=("https://compute.example.com", "443")
    ),
    _server("by IPv4", "https://192.0.2.7:6443", endpoint=("https://192.0.2.7", "6443")),
    _server("by IPv6", "https://[2001:DB8:0::1]:6443", endpoint=("https://[2001:db8::1]", "6443")),
    _server("by IPv6 without a port", "https://[2001:db8::1]", endpoint=("https://[2001:db8::1]", "443")),
    _server(
        "with an underscore",
        "https://node_1.example.com:6443",
        warnings=("MA224",),
        endpoint=("https://node_1.example.com", "6443"),
    ),
    _server("over plain HTTP", "http://compute.example.com:6443", "MA416"),
    _server("without a scheme", "compute.example.com:6443", "MA416"),
    _server("with a user", "https://someone@compute.example.com:6443", "MA416"),
    _server("with a password", "https://someone:word@compute.example.com:6443", "MA416"),
    _server("with digits for a password", "https://u:123@compute.example.com:6443", "MA416"),
    _server("behind Rancher", "https://rancher.example.com/k8s/clusters/c-abcde", "MA416"),
    _server("with a query", f"{SERVER}?x=1", "MA416"),
    _server("with a fragment", f"{SERVER}#x", "MA416"),
    _server("with an IPv6 zone", "https://[fe80::1%25eth0]:6443", "MA416"),
    _server("by IPv6 without brackets", "https://2001:db8::1:6443", "MA416"),
    _server("with broken brackets", "https://[2001:db8::1:6443", "MA416"),
    _server("with port 0", "https://compute.example.com:0", "MA416"),
    _server("with port 65536", "https://compute.example.com:65536", "MA416"),
    _server("with a word for a port", "https://compute.example.com:https", "MA416"),
    _server("with a blank after it", f"{SERVER} ", "MA416"),
    _server("with a line break in it", "https://compute.\nexample.com:6443", "MA416"),
    _server("in other letters", "https://c\u043empute.example.com:6443", "MA416"),
    _server("with an escape in it", "https://compute%2eexample.com:6443", "MA416"),
    _server("that is no host", "https://-compute-.example.com", "MA416"),
    _server("by a number", "https://2130706433:6443", "MA416"),
    _server("by IPv4 in octal", "https://0177.0.0.1:6443", "MA416"),
    _server("without a host", "https://:6443", "MA416"),
    _server("that is empty", "", "MA416"),
    _server("that is missing", None, "MA416"),
    _server("that is a number", 6443, "MA412", "MA416"),
)

AUTHORITIES = (
    Case("authority with line breaks in its base64", lambda: text(document(
        {"certificate-authority-data": "\n".join([encoded(pem())[:64], encoded(pem())[64:]])}))),
    Case("authority with line ends of Windows", authority(lambda: pem().replace(b"\n", b"\r\n"))),
    Case("authority with a byte order mark", authority(lambda: b"\xef\xbb\xbf" + pem())),
    Case("authority with text before it", authority(lambda: b"subject=example\n" + pem())),
    Case("bundle of two authorities", authority(lambda: pem() + pem(name="other"))),
    Case("bundle with one that has expired", authority(lambda: pem() + pem(name="old", ends=-1)),
         warnings=("MA418",)),
    Case("bundle with a server's own", authority(lambda: pem(name="leaf", ca=False) + pem()),
         warnings=("MA418",)),
    Case("authority that expires soon", authority(lambda: pem(ends=10)), warnings=("MA418",)),
    Case("authority that has expired", authority(lambda: pem(ends=-1)), ("MA418",)),
    Case("authority that is not valid yet", authority(lambda: pem(begins=2)), ("MA418",)),
    Case("server's own certificate", authority(lambda: pem(name="leaf", ca=False, issuer="authority")),
         ("MA418",)),
    Case("certificate that says nothing of authority", authority(lambda: pem(name="leaf", ca=None)),
         ("MA418",)),
    Case("authority in DER", authority(der_of), ("MA418",)),
    Case("authority in base64 twice", authority(lambda: encoded(pem()).encode()), ("MA418",)),
    Case("authority as PEM itself", lambda: text(document(
        {"certificate-authority-data": pem().decode()})), ("MA418",)),
    Case("authority with its private key", authority(lambda: pem() + key_pem()), ("MA418",)),
    Case("private key for an authority", authority(key_pem), ("MA418",)),
    Case("authority that is damaged", authority(lambda: pem().replace(b"MII", b"AAA", 1)), ("MA418",)),
    Case("authority cut short", authority(lambda: pem()[:200]), ("MA418",)),
    Case("authority that is no base64", of(cluster={"certificate-authority-data": "%%%"}), ("MA418",)),
    Case("authority in base64 of the URL kind", of(cluster={"certificate-authority-data": "LS0tLS1C-_-_"}),
         ("MA418",)),
    Case("authority that is no certificate", authority(lambda: b"words"), ("MA418",)),
    Case("no authority", of(cluster={"certificate-authority-data": None}), ("MA417",)),
    Case("empty authority", of(cluster={"certificate-authority-data": ""}), ("MA417",)),
    Case("no authority, at GKE's DNS-based endpoint", of(
        cluster={"server": GKE, "certificate-authority-data": None}), ("MA417",)),
    Case("the cluster's own authority, at GKE's DNS-based endpoint", of(cluster={"server": GKE}),
         warnings=("MA418",), endpoint=(GKE, "443")),
    Case("a public authority of another, at GKE's DNS-based endpoint", lambda: text(document(
        {"server": GKE, "certificate-authority-data": encoded(pem(organisation="DigiCert Inc"))})),
         warnings=("MA418",), endpoint=(GKE, "443")),
    Case("the public authority, at GKE's DNS-based endpoint", lambda: text(document(
        {"server": GKE, "certificate-authority-data": encoded(pem(organisation="Google Trust Services"))})),
         endpoint=(GKE, "443")),
    Case("the cluster's own authority, behind a tunnel", of(
        cluster={"server": "https://example.trycloudflare.com"}), warnings=("MA418",),
        endpoint=("https://example.trycloudflare.com", "443")),
    Case("a public authority, behind a tunnel", lambda: text(document(
        {"server": "https://example.ngrok.app", "certificate-authority-data":
            encoded(pem() + pem(organisation="Internet Security Research Group"))})),
        endpoint=("https://example.ngrok.app", "443")),
    Case("verification turned off", of(
        cluster={"certificate-authority-data": None, "insecure-skip-tls-verify": True}), ("MA417",)),
    Case("verification turned off beside an authority", of(cluster={"insecure-skip-tls-verify": True}),
         ("MA417",)),
    Case("verification not turned off", of(cluster={"insecure-skip-tls-verify": False})),
    Case("verification as text", of(cluster={"insecure-skip-tls-verify": "true"}), ("MA412", "MA417")),
)  # fmt: skip

USERS = (
    Case("token that ends in a year", lambda: text(document(user={"token": token(365)}))),
    Case("token without an end", lambda: text(document(user={"token": token(None)}))),
    Case("token with a line break after it", lambda: text(document(user={"token": token(365) + "\n"})),
         ("MA426",)),
    Case("token with a blank in it", of(user={"token": "one two"}), ("MA426",)),
    Case("token of an OpenShift login", of(user={"token": "sha256~" + "x" * 43}), warnings=("MA426",)),
    Case("token of Rancher's kubeconfig", of(user={"token": "kubeconfig-u-abcde12345:" + "x" * 54}),
         warnings=("MA426",)),
    Case("token of Rancher's interface", of(user={"token": "token-x1y2z:" + "x" * 54}), warnings=("MA426",)),
    Case("token of Google Cloud", of(user={"token": "ya29.a0-example_token"}), warnings=("MA426",)),
    Case("token of EKS", of(user={"token": "k8s-aws-v1.aHR0cHM6Ly9zdHM"}), warnings=("MA426",)),
    Case("token of DigitalOcean", of(user={"token": "dop_v1_" + "0" * 64}), warnings=("MA426",)),
    Case("token that lets nodes join", of(user={"token": "abcdef.0123456789abcdef"}), warnings=("MA426",)),
    Case("token of a GitLab job", of(user={"token": "ci:17:example"}), warnings=("MA426",)),
    Case("token that ends tomorrow", lambda: text(document(user={"token": token(1)})), warnings=("MA426",)),
    Case("token that has expired", lambda: text(document(user={"token": token(-1)})), ("MA426",)),
    Case("token over two lines", of(user={"token": "one\ntwo"}), ("MA426",)),
    Case("token that is a number", of(user={"token": 12345}), ("MA412",)),
    Case("token in a file", of(user={"tokenFile": "token"}), ("MA420",)),
    Case("token beside one in a file", of(user={"token": "example-token", "tokenFile": "/etc/hostname"}),
         ("MA420",)),
    Case("client certificate", pair(lambda: pem(name="admin", ca=False), lambda: key_pem("admin"))),
    Case("client certificate that expires soon", pair(
        lambda: pem(name="admin", ca=False, ends=3), lambda: key_pem("admin")), warnings=("MA426",)),
    Case("client certificate that has expired", pair(
        lambda: pem(name="admin", ca=False, ends=-3), lambda: key_pem("admin")), ("MA426",)),
    Case("client certificate with another's key", pair(
        lambda: pem(name="admin", ca=False), lambda: key_pem("other")), ("MA426",)),
    Case("client key with a passphrase", pair(
        lambda: pem(name="admin", ca=False), lambda: key_pem("admin", b"example")), ("MA426",)),
    Case("client certificate that is none", pair(lambda: b"words", lambda: key_pem("admin")), ("MA426",)),
    Case("client certificate without a key", lambda: text(document(
        user={"client-certificate-data": encoded(pem(name="admin", ca=False))})), ("MA426",)),
    Case("client key without a certificate", lambda: text(document(
        user={"client-key-data": encoded(key_pem("admin"))})), ("MA426",)),
    Case("client certificate in files", of(
        user={"client-certificate": "/etc/hostname", "client-key": "/etc/hostname"}), ("MA420", "MA420")),
    Case("files beside their contents", lambda: text(document(
        {"certificate-authority": "/etc/hostname"},
        {"client-certificate": "/etc/hostname", "client-key": "/etc/hostname",
         "client-certificate-data": encoded(pem(name="admin", ca=False)),
         "client-key-data": encoded(key_pem("admin"))}))),
    Case("authority in a file", of(
        cluster={"certificate-authority-data": None, "certificate-authority": "/etc/hostname"}), ("MA420",)),
    Case("login by the AWS CLI", of(
        user=login("aws", "--region", "eu-west-1", "eks", "get-token", "--cluster-name", "ml")), ("MA421",)),
    Case("login by Google's plugin", of(user=login("gke-gcloud-auth-plugin")), ("MA421",)),
    Case("login by Azure's plugin", of(user=login("kubelogin", "get-token")), ("MA421",)),
    Case("login by a shell", of(user=login("/bin/sh", "-c", "touch /tmp/never")), ("MA421",)),
    Case("login by a program beside the file", of(user=login("./login")), ("MA421",)),
    Case("login command beside a token", of(user={"token": "example-token", **login(COMMAND)}), ("MA421",)),
    Case("login command that is no mapping", of(user={"exec": COMMAND}), ("MA412", "MA421")),
    Case("login command without a command", of(user={"exec": {"args": ["x"]}}), ("MA421",)),
    Case("login plugin of kubectl", of(user={"auth-provider": {"name": "gcp"}}), ("MA422",)),
    Case("user name and password", of(user={"username": "example", "password": "example"}),
         ("MA422", "MA422")),
    Case("acting as somebody", of(user={"token": "example-token", "as": "system:admin"}), ("MA423",)),
    Case("acting as a group", of(
        user={"token": "example-token", "as": "a", "as-groups": ["system:masters"], "as-uid": "0"}),
        ("MA423", "MA423", "MA423")),
    Case("no credential", of(user={}), ("MA426",)),
    Case("user that is null", lambda: text(document(users=[{"name": "u", "user": None}])), ("MA426",)),
)  # fmt: skip

REACH = (
    Case("proxy", of(cluster={"proxy-url": "http://proxy.example.com:3128"}), ("MA424",)),
    Case("proxy with a password", of(cluster={"proxy-url": "socks5://u:word@proxy.example.com"}), ("MA424",)),
    Case("proxy, with the address the control plane uses", of(
        cluster={"proxy-url": "http://proxy.example.com:3128"}),
        instead={"server": "https://10.0.0.7:6443"}, endpoint=("https://10.0.0.7", "6443")),
    Case("another name in the certificate", of(cluster={"tls-server-name": "kubernetes"}), ("MA425",)),
    Case("another name, with an address the certificate names", of(cluster={"tls-server-name": "kubernetes"}),
         instead={"server": "https://k8s.example.com"}, endpoint=("https://k8s.example.com", "443")),
    Case("Rancher, with the cluster's own address", of(
        cluster={"server": "https://rancher.example.com/k8s/clusters/c-abcde"}),
        instead={"server": "https://10.0.0.7:6443"}, endpoint=("https://10.0.0.7", "6443")),
    Case("plain HTTP, with another address", of(cluster={"server": "http://compute.example.com"}), ("MA416",),
         instead={"server": SERVER}),
    Case("no authority, with one in the entry", of(cluster={"certificate-authority-data": None}),
         instead={"certificate_authority_data": "good"}),
    Case("authority of the proxy, with an expired one in the entry", of(), ("MA418",),
         instead={"certificate_authority_data": "expired"}),
)  # fmt: skip

CONTEXTS = (
    Case("another context by its name", lambda: text(document(
        contexts=[{"name": "east", "context": {"cluster": "gone", "user": "gone"}},
                  {"name": "west", "context": {"cluster": "c", "user": "u", "namespace": "x"}}])),
        context="west"),
    Case("context that is not there", of(), ("MA414",), context="west"),
    Case("current context that is not there", of(**{"current-context": "west"}), ("MA414",)),
    Case("no current context", of(**{"current-context": None}), ("MA414",)),
    Case("no contexts", of(contexts=None), ("MA414",)),
    Case("context without a cluster", of(contexts=[{"name": "east", "context": {"user": "u"}}]), ("MA415",)),
    Case("context that names nothing there is", of(
        contexts=[{"name": "east", "context": {"cluster": "x", "user": "y"}}]), ("MA415", "MA415")),
    Case("missing cluster beside a bad user", lambda: text(document(
        user={"as": "a"}, clusters=[])), ("MA415", "MA423", "MA426")),
    Case("context twice", lambda: text(document(
        contexts=[{"name": "east", "context": {"cluster": "c", "user": "u"}}] * 2).copy()).replace(
            b"*id001", b"{name: east, context: {cluster: c, user: u}}"), ("MA413",)),
    Case("cluster twice", lambda: text(document(clusters=[
        {"name": "c", "cluster": {"server": SERVER, "certificate-authority-data": encoded(pem())}},
        {"name": "c", "cluster": {"server": "https://evil.example.com"}}])), ("MA413",)),
    Case("user twice", lambda: text(document(users=[
        {"name": "u", "user": {"token": "a"}}, {"name": "u", "user": {"token": "b"}}])), ("MA413",)),
    Case("context whose name is a number", of(
        **{"current-context": 7}, contexts=[{"name": 7, "context": {"cluster": "c", "user": "u"}}]),
        ("MA412", "MA412", "MA414")),
    Case("entry without a name", of(contexts=[
        {"name": "east", "context": {"cluster": "c", "user": "u"}}, {"context": {}}]), ("MA412",)),
    Case("entries as a mapping", of(users={"u": {"token": "example-token"}}), ("MA412", "MA415")),
    Case("entry that is text", of(users=["u"]), ("MA412", "MA415")),
    Case("names a terminal would obey", of(
        **{"current-context": "\x1b[31mred"}), ("MA414",)),
)  # fmt: skip

FORMS = (
    Case("as kubectl writes it", of()),
    Case("as JSON", lambda: json.dumps(document()).encode()),
    Case("as JSON with tabs", lambda: json.dumps(document(), indent="\t").encode()),
    Case("with a byte order mark", lambda: b"\xef\xbb\xbf" + text(document())),
    Case("with line ends of Windows", lambda: text(document()).replace(b"\n", b"\r\n")),
    Case("without kind and version", of(kind=None, apiVersion=None)),
    Case("with other tools' notes", of(
        preferences={}, cluster={"extensions": [{"name": "x", "extension": {"last": "update"}}]})),
    Case("with an anchor for one value", edited("token: example-token", "token: &t example-token")),
    Case("with two hundred clusters", lambda: many(200)),
    Case("with a misspelt field", lambda: text(document(user={"token": "a", "client_key_data": "x"})),
         warnings=("MA412",)),
    Case("empty", lambda: b"", ("MA410",)),
    Case("blank", lambda: b" \n\n", ("MA410",)),
    Case("only a comment", lambda: b"# nothing\n", ("MA410",)),
    Case("in UTF-16", lambda: text(document()).decode().encode("utf-16"), ("MA410",)),
    Case("with a NUL", lambda: text(document()) + b"\0", ("MA410",)),
    Case("with bytes that are no text", lambda: text(document()) + b"# \xff\xfe\n", ("MA410",)),
    Case("with an endless line", lambda: b"a: " + b"x" * 300_000, ("MA410",)),
    Case("that is a list", lambda: b"- a\n- b\n", ("MA412",)),
    Case("that is text", lambda: b"just words", ("MA412",)),
    Case("that is another object", lambda: text({"apiVersion": "v1", "kind": "Secret"}), ("MA412", "MA414")),
    Case("that is some other mapping", lambda: b"a: 1\n", ("MA412", "MA414")),
    Case("of another version", of(apiVersion="v2"), ("MA412",)),
    Case("in base64", lambda: base64.b64encode(text(document())), ("MA412",)),
    Case("in base64 of short lines", lambda: base64.encodebytes(text(document())), ("MA412",)),
    Case("in base64 twice", lambda: base64.b64encode(base64.b64encode(text(document()))), ("MA412",)),
    Case("in base64 with quotes around it", lambda: b'"' + base64.b64encode(text(document())) + b'"\n',
         ("MA412",)),
    Case("in a Secret of Cluster API", lambda: secret("value"), ("MA412",)),
    Case("in a Secret under a name of its own", lambda: secret("admin.conf"), ("MA412",)),
    Case("in a Secret that is not stored yet", lambda: text({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"},
        "stringData": {"kubeconfig": text(document()).decode()}}), ("MA412",)),
    Case("in a ConfigMap", lambda: text({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"},
        "data": {"config": json.dumps(document())}}), ("MA412",)),
    Case("in a list of Secrets", lambda: text({
        "apiVersion": "v1", "kind": "List", "items": [yaml.safe_load(secret("kubeconfig"))]}), ("MA412",)),
    Case("among a tool's outputs", lambda: json.dumps({
        "kubeconfig": {"sensitive": True, "value": text(document()).decode()}}).encode(), ("MA412",)),
    Case("with an unresolved merge", edited(
        "    token: example-token\n",
        "<<<<<<< HEAD\n    token: one\n=======\n    token: two\n>>>>>>> other\n"), ("MA411",)),
    Case("that is broken", lambda: b"clusters: [", ("MA411",)),
    Case("with a tab for indentation", edited("  cluster: c", "\tcluster: c"), ("MA411",)),
    Case("with two documents", lambda: text(document()) + b"---\n" + text(document()), ("MA411",)),
    Case("with a key twice", lambda: text(document()) + b"current-context: other\n", ("MA411",)),
    Case("with a server twice", edited(SERVER, f"{SERVER}\n    server: {SERVER}"), ("MA411",)),
    Case("with a merge", edited("    user: u\n", "    user: u\n    <<: {cluster: d}\n"), ("MA411",)),
    Case("with a Python object", edited("example-token", "!!python/object/apply:os.system ['true']"),
         ("MA411", "MA412")),
    Case("with a Python name", edited("example-token", "!!python/name:os.system"), ("MA411", "MA426")),
    Case("with an alias to nothing", edited("example-token", "*nothing"), ("MA411",)),
    Case("that grows as it is read", bomb, ("MA411",)),
    Case("that contains itself", lambda: b"a: &a [*a]", ("MA411",)),
    Case("nested a thousand deep", lambda: b"a: " + b"[" * 1000, ("MA411",)),
    Case("nested a thousand deep, closed", lambda: b"a: " + b"[" * 1000 + b"]" * 1000, ("MA411",)),
    Case("with a list without end", lambda: b"contexts:\n" + b"- a\n" * 400_000, ("MA411",)),
    Case("with keys without end", lambda: b"".join(b"k%d: 1\n" % n for n in range(100_000)), ("MA411",)),
    Case("everything at once", everything,
         ("MA416", "MA417", "MA420", "MA420", "MA420", "MA421", "MA422", "MA422", "MA422", "MA423", "MA423",
          "MA424", "MA425")),
)  # fmt: skip

CASES = (*FORMS, *CONTEXTS, *SERVERS, *AUTHORITIES, *USERS, *REACH)
