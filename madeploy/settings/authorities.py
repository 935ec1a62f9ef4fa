"""Certificate authorities as kubeconfigs and settings give them: PEM text in base64."""

from __future__ import annotations

import base64
import binascii
from typing import Final

_BEGIN: Final = "-----BEGIN CERTIFICATE-----"
_BOM: Final = b"\xef\xbb\xbf"
_DER_SEQUENCE: Final = b"\x30\x82"
"""How every certificate in DER starts: a sequence of more than 255 bytes (X.690)."""


def authority_text(encoded: str) -> str:
    """The PEM text, with line ends of one character and without a byte order mark: what the platform's
    reader of PEM takes (Go, `encoding/pem`), which a file written on Windows is not.

    Raises ValueError, which repeats nothing of the text, when it is no PEM certificate or holds a private
    key. Whether a certificate can vouch for a server is not asked here.
    """
    try:
        content = base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError):
        if _BEGIN in encoded:
            raise ValueError("is PEM text itself, not base64 of it") from None
        raise ValueError("is not base64 on one line") from None
    if b"PRIVATE KEY" in content:
        raise ValueError("holds a private key; give the certificate alone, and replace the key")
    text = content.removeprefix(_BOM).replace(b"\r\n", b"\n").decode("ascii", errors="replace")
    if _BEGIN not in text:
        raise ValueError(_instead(content))
    return text if text.startswith(_BEGIN) else text[text.index(_BEGIN) :]


def _instead(content: bytes) -> str:
    """What the decoded bytes are, if not PEM."""
    if content.startswith(_DER_SEQUENCE):
        return "is base64 of a certificate in DER; convert it: openssl x509 -inform der -outform pem"
    try:
        if _BEGIN.encode() in base64.b64decode(b"".join(content.split()), validate=True):
            return "is in base64 twice; decode it once"
    except (binascii.Error, ValueError):
        pass
    return "is base64 of something else than a PEM certificate"
