"""Sign-in at Envoy: OpenID Connect in front of the application and the API calls of its pages.

A request goes through these filters in order: headers by which the platform knows callers are taken away;
CORS answers preflights; what would change something must come from a page of ours; a session is looked for,
or made, as long as the provider answers; its token is verified by the provider's keys; the rights are looked
up. What is behind never sees a cookie or a token.
"""

from __future__ import annotations

from typing import Any, Final

from madeploy.names.addresses import GRPC_WEB_PREFIX, UI_PORT, allowed_origins, app_url
from madeploy.names.kubernetes import workload
from madeploy.names.methods import reading
from madeploy.names.oidc import (
    CALLBACK_PATH,
    CLIENT_SECRET_KEY,
    COOKIE_PREFIX,
    COOKIE_SECRET_KEY,
    SIGN_OUT_PATH,
    callback_url,
    email_claim,
    endpoints,
    groups_claim,
    scopes,
)
from madeploy.settings import Environment
from madeploy.settings.access import Login
from manifests import envoy_pages, envoy_provider
from manifests.cors import origin_matcher
from manifests.envoy_rights import (
    READING_HTTP,
    all_of,
    below,
    exactly,
    policy,
    principals,
    rights_filter,
    without,
)
from manifests.envoy_tokens import (
    CREDENTIAL_HEADERS,
    ONE_READING,
    PROVIDER_TIMEOUT,
    caller_headers,
    jwt_filter,
    provider_cluster,
    verification,
    without_caller_headers,
)
from manifests.envoy_typed import endpoints as load_assignment
from manifests.envoy_typed import header_match, message, path_source, typed
from manifests.objects import to_yaml

CREDENTIALS_DIR: Final = "/etc/envoy-oidc"
"""Where the Secret `access.browser.credentialsSecret` is mounted."""

APP_CLUSTER: Final = workload("ui")
_TOKEN, _KEYS = "oidc-token", "oidc-keys"
_CLIENT, _COOKIE = "oidc-client", "oidc-cookie"

_COOKIES: Final = (
    ("bearer_token", "access"),
    ("oauth_hmac", "hmac"),
    ("oauth_expires", "expires"),
    ("id_token", "id"),
    ("refresh_token", "refresh"),
    ("oauth_nonce", "nonce"),
    ("code_verifier", "verifier"),
)
"""Envoy's names of its cookies, and the ends of ours."""

_ID_COOKIE: Final = f"{COOKIE_PREFIX}id"


def manager_fields(environment: Environment) -> dict[str, Any]:
    """What the connection manager does before any filter, and how it answers people."""
    return {
        **ONE_READING,
        # The door ends TLS. Sessions are for https, whatever the hop to Envoy is.
        "scheme_header_transformation": {"scheme_to_overwrite": "https"},
        "local_reply_config": envoy_pages.replies(environment),
    }


def routes(route: dict[str, Any]) -> list[dict[str, Any]]:
    """The API's services, and the application's files for everything else; neither gets a credential."""
    removed = {"request_headers_to_remove": CREDENTIAL_HEADERS}
    return [
        {"match": {"prefix": GRPC_WEB_PREFIX}, "route": route, **removed},
        {"match": {"prefix": "/"}, "route": {**route, "cluster": APP_CLUSTER}, **removed},
    ]


def filters(environment: Environment, login: Login, cors: dict[str, Any]) -> list[dict[str, Any]]:
    """Filters before those of the release, in order."""
    return [
        without_caller_headers(),
        cors,
        _same_origin(environment),
        envoy_provider.provider_answers(login),
        _sessions(environment, login),
        _tokens(environment, login),
        _rights(environment, login),
    ]


def _same_origin(environment: Environment) -> dict[str, Any]:
    """Calls come from pages of the application's origin or of a declared one. A session is a cookie, which
    browsers send along with whatever another page of the same site posts."""
    always = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
    others = [_host_matcher(origin) for origin in allowed_origins(environment)]
    return typed(
        "envoy.filters.http.csrf",
        "extensions.filters.http.csrf.v3.CsrfPolicy",
        filter_enabled=always,
        additional_origins=others,
    )


def _host_matcher(origin: str) -> dict[str, Any]:
    """The filter compares host and port, without the scheme."""
    matcher = origin_matcher(origin)
    if "exact" in matcher:
        return {"exact": matcher["exact"].partition("://")[2]}
    return {"safe_regex": {"regex": matcher["safe_regex"]["regex"].partition("://")[2]}}


def _sessions(environment: Environment, login: Login) -> dict[str, Any]:
    provider = endpoints(login)
    # `Lax`, because a provider's page sends the browser back: a `Strict` cookie would not come along.
    lax = {"same_site": "LAX"}
    config: dict[str, Any] = {
        "token_endpoint": {"cluster": _TOKEN, "uri": provider.token, "timeout": PROVIDER_TIMEOUT},
        "authorization_endpoint": provider.authorization,
        "redirect_uri": callback_url(environment),
        # Its path follows. The host is ours whatever the request says: no other is ever sent back to.
        "original_request_uri": app_url(environment),
        "allowed_redirect_domains": [environment.domains.app],
        "redirect_path_matcher": {"path": {"exact": CALLBACK_PATH}},
        "signout_path": {"path": {"exact": SIGN_OUT_PATH}},
        "auth_scopes": list(scopes(login)),
        "auth_type": "BASIC_AUTH",
        # Calls of a page get 401 in place of a page of the provider's.
        "deny_redirect_matcher": [header_match(":path", prefix=GRPC_WEB_PREFIX)],
        "use_refresh_token": True,
        "default_refresh_token_expires_in": f"{login.session_hours * 3600}s",
        # Nobody behind asks for it, and cookies are not to grow.
        "disable_access_token_set_cookie": True,
        "credentials": {
            "client_id": login.client_id,
            "token_secret": {"name": _CLIENT, "sds_config": path_source(f"/etc/envoy/{_CLIENT}.yaml")},
            "hmac_secret": {"name": _COOKIE, "sds_config": path_source(f"/etc/envoy/{_COOKIE}.yaml")},
            "cookie_names": {field: f"{COOKIE_PREFIX}{end}" for field, end in _COOKIES},
        },
        "cookie_configs": {f"{field}_cookie_config": lax for field, _ in _COOKIES},
    }
    if provider.end_session is not None:
        config["end_session_endpoint"] = provider.end_session
        config["post_logout_redirect_uri"] = {"uri": f"{app_url(environment)}/"}
    return typed("envoy.filters.http.oauth2", "extensions.filters.http.oauth2.v3.OAuth2", config=config)


def _tokens(environment: Environment, login: Login) -> dict[str, Any]:
    """Signature, issuer, audience and time of the session's ID token."""
    provider = {
        **verification(login.issuer, endpoints(login).keys, _KEYS, [login.client_id]),
        "from_cookies": [_ID_COOKIE],
        "claim_to_headers": caller_headers(environment, email_claim(login)),
    }
    return jwt_filter("browser", provider, {"provider_name": "browser"})


def _rights(environment: Environment, login: Login) -> dict[str, Any]:
    claim = groups_claim(login)
    viewers, editors = principals(login.viewers, claim), principals(login.editors, claim)
    everybody = [*viewers, *editors]
    files = all_of(without(below(GRPC_WEB_PREFIX)), READING_HTTP)
    policies = {}
    if everybody:
        policies["application"] = policy([files], everybody)
    if viewers:
        policies["viewers"] = policy(exactly(reading(environment.release)), viewers)
    if editors:
        policies["editors"] = policy([below(GRPC_WEB_PREFIX)], editors)
    return rights_filter(policies)


def clusters(login: Login) -> list[dict[str, Any]]:
    """The application's files, and the provider."""
    provider = endpoints(login)
    files = {
        "name": APP_CLUSTER,
        "connect_timeout": "5s",
        "type": "LOGICAL_DNS",
        "load_assignment": load_assignment(APP_CLUSTER, workload("ui"), UI_PORT),
    }
    return [
        files,
        provider_cluster(_TOKEN, provider.token, login.authorities),
        provider_cluster(_KEYS, provider.keys, login.authorities),
        envoy_provider.cluster(login),
    ]


def secret_files() -> dict[str, str]:
    """Files of the ConfigMap that name the Secret's: nothing of it stands in them."""
    return {
        f"{name}.yaml": to_yaml({"resources": [_generic_secret(name, key)]})
        for name, key in ((_CLIENT, CLIENT_SECRET_KEY), (_COOKIE, COOKIE_SECRET_KEY))
    }


def _generic_secret(name: str, key: str) -> dict[str, Any]:
    source = {"filename": f"{CREDENTIALS_DIR}/{key}", "watched_directory": {"path": CREDENTIALS_DIR}}
    return message("extensions.transport_sockets.tls.v3.Secret", name=name, generic_secret={"secret": source})
