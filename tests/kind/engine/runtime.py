"""The container runtime: runc, or a wrapper script of runc on machines without one capability."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.kind.engine.requirements import RUNC
from tools.cluster.host import privileges

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: The number of CAP_SYS_RESOURCE, see capabilities(7).
_SYS_RESOURCE = 24
NAME = "without-sys-resource"

# `docker run --privileged` asks for all capabilities, and runc fails if this process may not grant one of them. The
# request is in a JSON file: config.json of the bundle (`create`), or that of `--process` (`exec`).
_SCRIPT = """\
#!/bin/sh
# Take CAP_SYS_RESOURCE out of what a container asks for, then call runc.
last= file=
for word; do
  case "$last" in --bundle | -b) file="$word/config.json" ;; --process | -p) file="$word" ;; esac
  case "$word" in --bundle=*) file="${{word#*=}}/config.json" ;; --process=*) file="${{word#*=}}" ;; esac
  last="$word"
done
if [ -f "$file" ]; then
  sed -i -e 's/"CAP_SYS_RESOURCE",//g' -e 's/,"CAP_SYS_RESOURCE"//g' "$file"
fi
exec {runc} "$@"
"""


def may_set_resources() -> bool:
    """Return whether this process holds CAP_SYS_RESOURCE, which lowering `oom_score_adj` needs too."""
    return bool(privileges.effective_capabilities() >> _SYS_RESOURCE & 1)


def settings(folder: Path) -> Mapping[str, object]:
    """Return the settings of dockerd that choose the runtime; the script, if one is needed, is written to `folder`."""
    if may_set_resources():
        return {}
    path = folder / "runc"
    path.write_text(script(str(RUNC)))
    path.chmod(0o755)
    return {"runtimes": {NAME: {"path": str(path)}}, "default-runtime": NAME}


def script(runc: str) -> str:
    """Return the script that calls the program `runc`."""
    return _SCRIPT.format(runc=runc)
