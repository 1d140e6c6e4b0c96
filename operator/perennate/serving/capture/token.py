"""The bearer token of `/feedback`, a file that Kubernetes keeps equal to a Secret."""

from __future__ import annotations

import hmac
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from perennate.serving.errors import ConfigError
from perennate.serving.request_error import RequestError

if TYPE_CHECKING:
    from pathlib import Path

    from perennate.api.documents.serving_config import FeedbackConfig

CHALLENGE: Final = 'Bearer realm="feedback"'
LIMIT: Final = 65_536
"""Maximum size of the file, in bytes."""


class FeedbackToken:
    """Checks requests against the token. The file is read each time, so a changed Secret needs no restart.

    Args:
        file: the file; white space around the token does not count.
        config: names of the Secret and the key, for messages.
    """

    def __init__(self, file: Path, config: FeedbackConfig) -> None:
        self._file = file
        self._config = config

    def check_file(self) -> None:
        """Check that there is a token.

        Raises:
            ConfigError: the Secret does not exist, or has no such key.
        """
        if not self._read():
            raise ConfigError(
                f'spec.feedback.tokenSecretRef: Secret "{self._config.secret}" does not exist in this namespace, or '
                f'its key "{self._config.key}" does not exist or is empty; create it, and the container starts again'
            )

    def check(self, authorization: str | None) -> None:
        """Check the header `Authorization` of a request.

        Raises:
            RequestError: 401 without the token; 503 while there is none to compare with.
        """
        scheme, _, given = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not given.strip():
            raise RequestError(
                HTTPStatus.UNAUTHORIZED, "the header Authorization: Bearer <token> is missing", challenge=CHALLENGE
            )
        wanted = self._read()
        if not wanted:
            raise RequestError(HTTPStatus.SERVICE_UNAVAILABLE, "the token of this route is gone; labels are refused")
        if not hmac.compare_digest(given.strip().encode(errors="surrogatepass"), wanted):
            raise RequestError(
                HTTPStatus.UNAUTHORIZED,
                "the token in the header Authorization is not that of this route",
                challenge=f'{CHALLENGE}, error="invalid_token"',
            )

    def _read(self) -> bytes:
        """The token; empty if there is none."""
        try:
            with self._file.open("rb") as file:
                return file.read(LIMIT).strip()
        except OSError:
            return b""
