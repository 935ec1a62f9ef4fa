"""moto's server as S3, IAM, STS and EKS of the sandbox.

moto keeps everything in memory: what was created is gone when its process ends, while the stack still says
it is there. So every request that changes something is recorded (moto's own recorder) and told again to a
new process: after `sandbox stop`, a crash or a reboot the buckets, objects and roles are those of before.
Identifiers that AWS makes up (role ids, version ids) are new; names and ARNs are not. `sandbox down`
deletes the recording with the rest.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Mapping
from urllib.parse import parse_qs

import urllib3

from madeploy.sandbox.component import Component
from madeploy.sandbox.errors import SandboxError
from madeploy.sandbox.ports import HOST
from madeploy.sandbox.state import StateDirectory, write_private

NAME = "aws"
REGION = "eu-west-1"
ACCOUNT = "123456789012"
"""moto's account."""
_READING_ACTIONS = ("Get", "List", "Describe", "Assume", "Simulate", "Generate", "Head")
_REPLAY_SECONDS = 120


class Aws:
    """The object store and identity service of the sandbox."""

    def __init__(self, directory: StateDirectory, port: int) -> None:
        self.endpoint = f"http://{HOST}:{port}"
        self._port = port
        self.recording = directory.root / "aws" / "requests.jsonl"
        """What it was asked, one request a line."""

        self._pool = urllib3.PoolManager(retries=False, timeout=2)

    @property
    def variables(self) -> dict[str, str]:
        """Environment variables by which AWS' SDKs, the CLI and the plugin reach it, and nothing else."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "sandbox",
            "AWS_SECRET_ACCESS_KEY": "sandbox",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            # The operator's own profile must not be mixed in.
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def component(self, base: Mapping[str, str]) -> Component:
        """Its process."""
        return Component(
            name=NAME,
            argv=(sys.executable, "-m", "madeploy.sandbox.aws_server", "-H", HOST, "-p", str(self._port)),
            environment={
                **base,
                "MOTO_ACCOUNT_ID": ACCOUNT,
                "MOTO_ENABLE_RECORDING": "true",
                "MOTO_RECORDER_FILEPATH": str(self.recording),
            },
            is_ready=self._answers,
            port=self._port,
            prepare=self._compact,
        )

    def replay(self) -> None:
        """Tell a new process what an earlier one was told.

        Raises:
            SandboxError: it cannot.
        """
        if not self.recording.exists() or not self.recording.stat().st_size:
            return
        try:
            url = f"{self.endpoint}/moto-api/recorder/replay-recording"
            status = self._pool.request("POST", url, timeout=_REPLAY_SECONDS).status
        except urllib3.exceptions.HTTPError as error:
            status = 0
            why = f"{type(error).__name__}"
        else:
            why = f"moto answered {status}"
        if status != 200:
            raise SandboxError(
                "the AWS resources made before the last stop could not be brought back",
                f"{why}; they are recorded in {self.recording}",
                "see `madeploy sandbox logs aws`; `madeploy sandbox reset` starts without them",
            )

    def forget(self) -> None:
        """Drop the recording: nothing it tells of is wanted any more."""
        self.recording.unlink(missing_ok=True)

    def _answers(self) -> bool:
        try:
            return self._pool.request("GET", f"{self.endpoint}/moto-api/").status == 200
        except (urllib3.exceptions.HTTPError, OSError):
            return False

    def _compact(self) -> None:
        """Keep only requests that change something; called while no process writes to the recording."""
        self.recording.parent.mkdir(parents=True, exist_ok=True)
        try:
            lines = self.recording.read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            lines = []
        kept = [line for line in lines if _changes_something(line)]
        write_private(self.recording, "".join(f"{line}\n" for line in kept))


def _changes_something(line: str) -> bool:
    """Whether a recorded request is worth repeating; a line cut short by a crash is not."""
    try:
        entry = json.loads(line)
        method = entry["method"]
        body = entry.get("body") or ""
        text = base64.b64decode(body).decode("utf-8", "replace") if entry.get("body_encoded") else str(body)
    except (ValueError, KeyError, TypeError):
        return False
    if method in ("GET", "HEAD", "OPTIONS"):
        return False
    # The query protocol (IAM, STS) sends reads by POST too, with the action in the form.
    action = parse_qs(text).get("Action", [""])[0] if method == "POST" and len(text) < 100_000 else ""
    return not action.startswith(_READING_ACTIONS)
