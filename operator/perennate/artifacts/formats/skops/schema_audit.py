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
from perennate.artifacts.formats.skops.allowlist.unserved import why_unserved

if TYPE_CHECKING:
    from collections.abc import Iterator

_PRIVATE: Final = re.compile(r"sklearn(\.[a-z_]+){1,4}")
_ESTIMATORS: Final = (allowlist.CLASSIFIERS, allowlist.REGRESSORS, allowlist.TRANSFORMERS, allowlist.COMPOSITES)
_LOADERS: Final[dict[str, frozenset[str]]] = {
    "JsonNode": frozenset({"builtins.str"}),
    "DictNode": frozenset({"builtins.dict", "collections.OrderedDict", "sklearn.utils._bunch.Bunch"}),
    "ListNode": frozenset({"builtins.list"}),
    "TupleNode": allowlist.TUPLES,
    "SetNode": frozenset({"builtins.set"}),
    "SliceNode": frozenset({"builtins.slice"}),
    "TypeNode": allowlist.TYPES,
    "NdArrayNode": allowlist.SCALARS | {"numpy.ndarray"},
    "SparseMatrixNode": allowlist.SPARSE,
    "DTypeNode": frozenset({"numpy.dtype"}),
    "RandomStateNode": frozenset({"numpy.random.mtrand.RandomState"}),
    "RandomGeneratorNode": frozenset({"numpy.random._generator.Generator"}),
    "TreeNode": frozenset({allowlist.TREE}),
    "LossNode": allowlist.LOSSES,
    "FunctionNode": allowlist.FUNCTIONS,
    "PartialNode": frozenset({"functools.partial"}),
}
"""Types that each kind of skops node may name. ObjectNode is checked against the estimators."""


def audit(schema: Any) -> None:
    """Refuse a schema that names a type outside the fixed list.

    Args:
        schema: the parsed `schema.json` of a skops file.

    Raises:
        ArtifactRefusedError: it does; the message lists the types, sorted, and says what to do.
    """
    auditor = _Auditor()
    refused = sorted({_type(node) for node in nodes(schema) if not auditor.allows(node)})
    if refused:
        raise ArtifactRefusedError(_refusal(refused))


class _Auditor:
    """Checks the nodes of one schema, each after the nodes that contain it."""

    def __init__(self) -> None:
        self._kinds: dict[Any, tuple[Any, str]] = {}
        self._of_partials: set[int] = set()

    def allows(self, node: dict[str, Any]) -> bool:
        """Whether the node names an allowed type and has the structure that skops writes."""
        kind, name = node["__loader__"], _type(node)
        if kind == "PartialNode":
            self._of_partials.add(id(_content(node).get("func")))
        allowed = name in allowlist.PARTIALS if id(node) in self._of_partials else _is_allowed(node)
        return allowed and self._is_single(node, (kind, name)) and _is_well_formed(node)

    def _is_single(self, node: dict[str, Any], kind: tuple[Any, str]) -> bool:
        """Whether all nodes with this id are of one kind. skops builds one object for an id, from the first of them."""
        return "__id__" not in node or self._kinds.setdefault(_hashable(node["__id__"]), kind) == kind


def _refusal(refused: list[str]) -> str:
    shown = ", ".join(refused[:5]) + (f" and {len(refused) - 5} more" if len(refused) > 5 else "")
    reasons = [f"{name.rpartition('.')[2]} {why}" for name in refused if (why := why_unserved(name))]
    advice = "; ".join(reasons[:3]) or "use scikit-learn estimators from that list, without your own functions"
    return f"the model file holds types outside the fixed list: {shown}; {advice}"


def nodes(value: Any) -> Iterator[dict[str, Any]]:
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


def _content(node: dict[str, Any]) -> dict[str, Any]:
    found = node.get("content")
    return found if isinstance(found, dict) else {}


def _hashable(value: Any) -> Any:
    return value if isinstance(value, int | str) else repr(value)


def _is_well_formed(node: dict[str, Any]) -> bool:
    """Whether nothing is called but what the list allows: keys of dictionaries, and the function of a partial."""
    if node["__loader__"] == "DictNode":
        return _names_key_types(node.get("key_types"))
    if node["__loader__"] == "PartialNode":
        func = _content(node).get("func")
        return isinstance(func, dict) and func.get("__loader__") == "FunctionNode"
    return True


def _names_key_types(node: Any) -> bool:
    """Whether the types of the keys of a dictionary are given as types: skops calls each with its key."""
    if not isinstance(node, dict) or node.get("__loader__") != "ListNode" or not isinstance(node.get("content"), list):
        return False
    return all(
        isinstance(key, dict) and key.get("__loader__") == "TypeNode" and _type(key) in allowlist.SCALARS
        for key in node["content"]
    )


def _is_allowed(node: dict[str, Any]) -> bool:
    kind, name = node["__loader__"], _type(node)
    if kind == "ObjectNode":
        return name in allowlist.INTERNALS or _is_estimator(str(node.get("__module__")), name)
    return isinstance(kind, str) and name in _LOADERS.get(kind, ())


def _is_estimator(module: str, name: str) -> bool:
    if not _PRIVATE.fullmatch(module) or "tests" in module:
        return False
    return any(contains(table, allowlist.public_name(name)) for table in _ESTIMATORS)
