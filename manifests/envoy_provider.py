"""Whoever has no session is sent to the identity provider only while it answers, and told why otherwise: a
redirect is the browser's to follow, and what it would find there is no page of ours.

Envoy's oauth2 filter asks nobody before it redirects. A few lines of Lua in front of it do, for requests that
it would redirect: at most once in `SECONDS` for each of Envoy's threads, with a time-out, and whoever comes
meanwhile goes by the last answer. Requests with a session and calls are not looked at. Where the lines fail
themselves, the request goes on to the filters after them, which decide.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from madeploy.names.addresses import GRPC_WEB_PREFIX
from madeploy.names.oidc import CALLBACK_PATH, COOKIE_PREFIX, SIGN_OUT_PATH
from madeploy.settings.access import Login
from manifests import envoy_pages
from manifests.envoy_tokens import provider_cluster
from manifests.envoy_typed import typed

SECONDS: Final = 5
"""How long an answer of the provider's, or its silence, counts."""

TIMEOUT_SECONDS: Final = 2
_CLUSTER: Final = "oidc-issuer"

_SCRIPT: Final = """\
local asked, answers = -@SECONDS@, true
local own = {"@CALLS@", "@CALLBACK@", "@SIGN_OUT@"}
local page = [==[@PAGE@]==]

function envoy_on_request(handle)
  local headers = handle:headers()
  local path = headers:get(":path")
  for _, start in ipairs(own) do
    if string.sub(path, 1, #start) == start then return end
  end
  local cookies = headers:get("cookie")
  if cookies and string.find(cookies, "@SESSION@=", 1, true) then return end
  if os.time() - asked >= @SECONDS@ then
    asked = os.time()
    local answer = handle:httpCall(
      "@CLUSTER@",
      {[":method"] = "GET", [":path"] = "@PATH@", [":authority"] = "@HOST@", ["accept"] = "application/json"},
      "",
      @TIMEOUT@)
    answers = (tonumber(answer[":status"]) or 503) < 500
    asked = os.time()
  end
  if answers then return end
  -- Headers that were looked at before the call are no longer there.
  local id = string.match(handle:headers():get("x-request-id") or "", "^[%w-]+$") or "-"
  handle:respond(
    {
      [":status"] = "503",
      ["content-type"] = "text/html; charset=utf-8",
      ["cache-control"] = "no-store",
      ["retry-after"] = "@SECONDS@",
    },
    (string.gsub(page, "@ID@", id)))
end
"""


def provider_answers(login: Login) -> dict[str, Any]:
    """The filter, to stand before that of sessions."""
    where = urlsplit(login.issuer)
    values = {
        "SECONDS": str(SECONDS),
        "CALLS": GRPC_WEB_PREFIX,
        "CALLBACK": CALLBACK_PATH,
        "SIGN_OUT": SIGN_OUT_PATH,
        "SESSION": f"{COOKIE_PREFIX}hmac",
        "CLUSTER": _CLUSTER,
        # What every issuer has (OpenID Connect Discovery 1.0, 4); whatever it says, it answers.
        "PATH": f"{where.path.rstrip('/')}/.well-known/openid-configuration",
        "HOST": where.netloc,
        "TIMEOUT": str(TIMEOUT_SECONDS * 1000),
        "PAGE": envoy_pages.provider_silent("@ID@"),
    }
    script = _SCRIPT
    for name, value in values.items():
        script = script.replace(f"@{name}@", value)
    return typed(
        "envoy.filters.http.lua",
        "extensions.filters.http.lua.v3.Lua",
        default_source_code={"inline_string": script},
    )


def cluster(login: Login) -> dict[str, Any]:
    """The issuer's own host."""
    return provider_cluster(_CLUSTER, login.issuer, login.authorities)
