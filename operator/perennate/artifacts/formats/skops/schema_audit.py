"""Audit of a skops schema: every type that it names must be on the fixed list.

skops has an audit of its own, but its list grows with its releases and includes every installed estimator. Ours runs
first and on plain JSON, so that a refused file causes no import and builds no object.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from perennate.artifacts.errors import ArtifactRefusedError
from perennate.artifacts.formats.classes import contains
from perennate.artifacts.formats.skops import allowlist

if TYPE_CHECKING:
    from collections.abc import Iterator

_PRIVATE: Final = re.compile(r"sklearn(\.[a-z_]+){1,4}")
_ESTIMATORS: Final = (allowlist.CLASSIFIERS, allowlist.REGRESSORS, allowlist.TRANSFORMERS, allowlist.COMPOSITES)
_LOADERS: Final[dict[str, frozenset[str]]] = {
    "JsonNode": frozenset({"builtins.str"}),
    "DictNode": frozenset({"builtins.dict", "collections.OrderedDict", "sklearn.utils._bunch.Bunch"}),
    "ListNode": frozenset({"builtins.list"}),
    "TupleNode": frozenset({"builtins.tuple"}),
    "SetNode": frozenset({"builtins.set"}),
    "SliceNode": frozenset({"builtins.slice"}),
    "TypeNode": allowlist.SCALARS,
    "NdArrayNode": allowlist.SCALARS | {"numpy.ndarray"},
    "DTypeNode": frozenset({"numpy.dtype"}),
    "RandomStateNode": frozenset({"numpy.random.mtrand.RandomState"}),
    "RandomGeneratorNode": frozenset({"numpy.random._generator.Generator"}),
    "TreeNode": frozenset({allowlist.TREE}),
    "LossNode": allowlist.LOSSES,
    "FunctionNode": allowlist.FUNCTIONS,
}
"""Types that each kind of skops node may name. ObjectNode is checked against the estimators."""


def audit(schema: Any) -> None:
    """Refuse a schema that names a type outside the fixed list.

    Args:
        schema: the parsed `schema.json` of a skops file.

    Raises:
        ArtifactRefusedError: it does; the message lists the types, sorted.
    """
    refused = sorted({_type(node) for node in _nodes(schema) if not _is_allowed(node)})
    if refused:
        shown = ", ".join(refused[:5]) + (f" and {len(refused) - 5} more" if len(refused) > 5 else "")
        raise ArtifactRefusedError(
            f"the model file holds types outside the fixed list: {shown}; use scikit-learn estimators from that list, "
            "without your own functions"
        )


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every node of the schema, without recursion: a hostile file may nest deeper than the stack allows."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            if "__loader__" in item:
                yield item
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)


def _type(node: dict[str, Any]) -> str:
    return f"{node.get('__module__')}.{node.get('__class__')}"


def _is_allowed(node: dict[str, Any]) -> bool:
    kind, name = node["__loader__"], _type(node)
    if kind == "ObjectNode":
        return name in allowlist.INTERNALS or _is_estimator(str(node.get("__module__")), name)
    return isinstance(kind, str) and name in _LOADERS.get(kind, ())


def _is_estimator(module: str, name: str) -> bool:
    if not _PRIVATE.fullmatch(module) or "tests" in module:
        return False
    return any(contains(table, allowlist.public_name(name)) for table in _ESTIMATORS)
