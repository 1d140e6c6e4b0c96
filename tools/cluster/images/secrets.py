"""The package index settings of this machine, as secrets of an image build."""

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
    """Yield the pip settings and the build options that mount them. Images do not contain them.

    Raises:
        ClusterError: the CA bundle is larger than the limit for a secret.
    """
    settings = pip_settings.from_pip()
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
    """Return the certificates of `bundle` without comments, which can be most of the file.

    Raises:
        ClusterError: the file cannot be read, or the result is still too large.
    """
    try:
        text = bundle.read_text(errors="replace")
    except OSError as error:
        raise ClusterError(f"Cannot read pip's CA bundle ({bundle}): {error.strerror}.") from error
    kept = "".join(found if found.endswith("\n") else f"{found}\n" for found in _CERTIFICATE.findall(text))
    if len(kept) > LIMIT:
        raise ClusterError(
            f"pip's CA bundle ({bundle}) has {len(kept):,} bytes of certificates, but at most {LIMIT:,} fit: "
            "set PIP_CERT to a bundle with only the authorities of your package index."
        )
    return kept
