"""This machine's way to a package index, as secrets of an image build."""

from __future__ import annotations

import re
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tools.cluster.host import pip_settings
from tools.cluster.host.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.cluster.host.pip_settings import PipSettings

#: BuildKit's limit for one secret, in bytes.
LIMIT = 500 * 1024
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n?", re.DOTALL)


@contextmanager
def mounted() -> Iterator[tuple[PipSettings, list[str]]]:
    """Yield this machine's settings and the options that mount them; nothing of it stays in an image.

    Raises:
        ClusterError: the bundle of certificates is larger than a secret may be.
    """
    settings = pip_settings.of_this_machine()
    with tempfile.TemporaryDirectory() as scratch:
        configuration = Path(scratch) / "pip.conf"
        configuration.write_text(settings.configuration)
        options = [f"--secret=id=pip.conf,src={configuration}"]
        if settings.certificates:
            bundle = Path(scratch) / "certificates"
            bundle.write_text(certificates(Path(settings.certificates)))
            options.append(f"--secret=id=certificates,src={bundle}")
        yield settings, options


def certificates(bundle: Path) -> str:
    """Return the certificates of `bundle` without the comments between them, which can be most of a file.

    Raises:
        ClusterError: there is no such file, or what is left is still too large.
    """
    try:
        text = bundle.read_text(errors="replace")
    except OSError as error:
        raise ClusterError(f"Cannot read the certificates that pip uses ({bundle}): {error.strerror}.") from error
    kept = "".join(found if found.endswith("\n") else f"{found}\n" for found in _CERTIFICATE.findall(text))
    if len(kept) > LIMIT:
        raise ClusterError(
            f"The certificates that pip is told to use ({bundle}) have {len(kept):,} bytes, a build takes at most "
            f"{LIMIT:,}: name a smaller bundle in PIP_CERT, with the authorities of your package index alone."
        )
    return kept
