"""Loading of model files: allow-listed models predict the same; other files are rejected and run no code."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import skops.io
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from perennate.artifacts import (
    ArtifactError,
    ArtifactIncompatibleError,
    ArtifactRefusedError,
    ModelStore,
    load_version,
)
from perennate.artifacts.formats.skops.loading import load_estimator
from perennate.artifacts.formats.skops.saving import save_estimator
from perennate.artifacts.versions.loading import check_compatible
from perennate.lineage import library_versions
from tests.support.pods.artifacts import make_files, make_manifest

MARK: list[str] = []
"""Appended to if code of a malicious file runs."""


class Evil:
    """An object whose unpickling runs code."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Return the call that unpickling makes."""
        return MARK.append, ("executed",)


class Custom(LogisticRegression):  # type: ignore[misc]  # scikit-learn is untyped
    """A user-defined estimator."""


def shout(values: Any) -> Any:
    """A user-defined function, which no model file may contain."""
    MARK.append("executed")
    return values


@pytest.fixture(scope="module")
def model() -> bytes:
    """A valid model file."""
    features, target = load_breast_cancer(return_X_y=True, as_frame=True)
    return save_estimator(make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)).fit(features, target))


def fitted(estimator: Any) -> Any:
    """Fit the estimator on a few rows."""
    values = np.arange(40, dtype=np.float64).reshape(20, 2)
    return estimator.fit(values, np.tile([0, 1], 10))


def rezip(content: bytes, change: Callable[[dict[str, bytes]], object], **options: Any) -> bytes:
    """Rewrite a zip file with `change` applied to its members."""
    with zipfile.ZipFile(io.BytesIO(content)) as source:
        members = {name: source.read(name) for name in source.namelist()}
    change(members)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", **options) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return target.getvalue()


def with_member(name: str, member: bytes = b"x") -> Callable[[bytes], bytes]:
    """A change that adds a member to the zip file."""
    return lambda content: rezip(content, lambda members: members.update({name: member}))


def with_schema(change: Callable[[dict[str, Any]], object]) -> Callable[[bytes], bytes]:
    """A change that modifies the schema."""

    def changed(members: dict[str, bytes]) -> None:
        schema = json.loads(members["schema.json"])
        change(schema)
        members["schema.json"] = json.dumps(schema).encode()

    return lambda content: rezip(content, changed)


def npz(members: dict[str, bytes]) -> bytes:
    """A compressed zip file, as scipy writes a sparse matrix."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression=zipfile.ZIP_DEFLATED) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return buffer.getvalue()


def symlink(content: bytes) -> bytes:
    """Add a member that is a symbolic link to a file of the host."""
    buffer = io.BytesIO(content)
    with zipfile.ZipFile(buffer, "a") as archive:
        member = zipfile.ZipInfo("99.npy")
        member.external_attr = 0o120777 << 16
        archive.writestr(member, "/etc/passwd")
    return buffer.getvalue()


def bomb(content: bytes) -> bytes:
    """Add a member that unpacks to a thousand times its size."""
    return rezip(content, lambda m: m.update({"9.npy": bytes(50_000_000)}), compression=zipfile.ZIP_DEFLATED)


def lying_size(content: bytes) -> bytes:
    """Set the size of the schema to 3 GiB in the zip directory."""
    position = content.rindex(b"PK\x01\x02")
    return content[: position + 24] + struct.pack("<I", 3 << 30) + content[position + 28 :]


def twice(content: bytes) -> bytes:
    """Add a second schema: readers could differ in which of the two they use."""
    buffer = io.BytesIO(content)
    with zipfile.ZipFile(buffer, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("schema.json", "{}")
    return buffer.getvalue()


def node(kind: str, module: str, name: str, **more: Any) -> dict[str, Any]:
    """A skops node."""
    return {"__class__": name, "__module__": module, "__loader__": kind, "__id__": 77_777, **more}


def partial(func: dict[str, Any], args: Any = ()) -> dict[str, Any]:
    """A `functools.partial` of a function node."""
    content = {"func": func, "args": list(args), "kwds": {}, "namespace": {}}
    return node("PartialNode", "functools", "partial", content=content)


def function(module: str, name: str, number: int = 88_888) -> dict[str, Any]:
    """A function node."""
    return {**node("FunctionNode", module, name), "__id__": number}


def called_with_a_key(func: dict[str, Any]) -> dict[str, Any]:
    """A dictionary whose key types are functions: skops calls them with the keys."""
    types = node("ListNode", "builtins", "list", content=[func])
    return {**node("DictNode", "builtins", "dict", content={"rm -rf": {}}), "key_types": types}


def extra(added: Any) -> Callable[[bytes], bytes]:
    """A change that adds a node to the schema."""
    return with_schema(lambda schema: schema.update(extra=added))


CHECK_ARRAY = ("sklearn.utils.validation", "check_array")


def deep(levels: int) -> bytes:
    """A schema that is nested deeper than the interpreter's recursion limit."""
    schema = '{"content": ' * levels + "1" + "}" * levels
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("schema.json", '{"protocol": 2, "content": ' + schema + "}")
    return buffer.getvalue()


def saved(value: object) -> bytes:
    """An object saved by skops without any check."""
    content: bytes = skops.io.dumps(value)
    return content


def joblib_dump(compress: int | tuple[str, int]) -> bytes:
    """A malicious object as joblib writes it."""
    buffer = io.BytesIO()
    joblib.dump(Evil(), buffer, compress=compress)
    return buffer.getvalue()


FILES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "an empty file": (lambda _: b"", "0 bytes"),
    "text": (lambda _: b"hello", "unknown format"),
    "pickle": (lambda _: pickle.dumps(Evil()), "is a pickle"),
    "old pickle": (lambda _: pickle.dumps(Evil(), protocol=0), "unknown format"),
    "joblib": (lambda _: joblib_dump(0), "is a pickle"),
    "joblib, zlib": (lambda _: joblib_dump(("zlib", 3)), "as joblib writes it"),
    "joblib, gzip": (lambda _: joblib_dump(("gzip", 3)), "as joblib writes it"),
    "joblib, xz": (lambda _: joblib_dump(("xz", 3)), "as joblib writes it"),
    "pickle, gzip": (lambda _: gzip.compress(pickle.dumps(Evil())), "gzip"),
    "pickle, zlib": (lambda _: zlib.compress(pickle.dumps(Evil())), "zlib"),
    "a pickle after the magic bytes of a zip": (lambda _: b"PK\x03\x04" + pickle.dumps(Evil()), "damaged"),
    "truncated in the middle": (lambda content: content[: len(content) // 2], "damaged"),
    "truncated by one byte": (lambda content: content[:-1], "damaged"),
    "two bytes changed": (lambda content: content[:60] + b"\xff\xff" + content[62:], "damaged|fixed list"),
    "a member with an absolute path": (with_member("/etc/cron.d/evil"), "has a member '/etc/cron.d/evil'"),
    "a member with a parent path": (with_member("../../evil.npy"), "has a member"),
    "a member with a backslash": (with_member("..\\evil.npy"), "has a member"),
    "a pickle as member": (with_member("evil.pkl", pickle.dumps(Evil())), "has a member 'evil.pkl'"),
    "an npz that is no archive": (with_member("1.npz"), "damaged"),
    "an npz with a pickle": (with_member("1.npz", npz({"data.pkl": b"x"})), "has a member 'data.pkl'"),
    "an npz bomb": (with_member("1.npz", npz({"data.npy": bytes(50_000_000)})), "unpacks from"),
    "a symbolic link": (symlink, "is a link"),
    "two schemas": (twice, "twice"),
    "a zip bomb": (bomb, "unpacks from"),
    "a wrong size in the directory": (lying_size, "unpacks from|damaged"),
    "no schema": (lambda content: rezip(content, lambda members: members.pop("schema.json")), "damaged"),
    "a schema that is not JSON": (
        lambda content: rezip(content, lambda members: members.update({"schema.json": b"{"})),
        "damaged",
    ),
    "an older protocol": (with_schema(lambda schema: schema.update(protocol=0)), "protocol 2"),
    "a newer protocol": (with_schema(lambda schema: schema.update(protocol=3)), "protocol 2"),
    "a deeply nested schema": (lambda _: deep(100_000), "damaged|cannot be loaded"),
    "an object array that contains a pickle": (
        lambda content: rezip(content, lambda members: members.update({"1.npy": object_array()})),
        "cannot be loaded",
    ),
    "an array header that claims a terabyte": (
        lambda content: rezip(content, lambda members: members.update({"1.npy": huge_array()})),
        "cannot be loaded",
    ),
    "a function": (with_schema(lambda s: s.update(extra=node("FunctionNode", "os", "system"))), "os.system"),
    "a type": (with_schema(lambda s: s.update(extra=node("TypeNode", "os", "system"))), "os.system"),
    "a method": (with_schema(lambda s: s.update(extra=node("MethodNode", "builtins", "str"))), "builtins.str"),
    "a partial": (with_schema(lambda s: s.update(extra=node("PartialNode", "functools", "partial"))), "functools"),
    "a partial of a system function": (extra(partial(function("os", "system"))), "os.system"),
    "a partial of a built-in function": (extra(partial(function("builtins", "eval"))), "builtins.eval"),
    "a partial of an allowed function of numpy": (extra(partial(function("numpy", "log1p"))), "numpy.log1p"),
    "a partial of another function of scikit-learn": (
        extra(partial(function("sklearn.datasets", "fetch_openml"))),
        "fetch_openml",
    ),
    "a partial of a partial": (extra(partial(partial(function(*CHECK_ARRAY)))), "functools.partial"),
    "a partial of a type": (extra(partial(node("TypeNode", "builtins", "str"))), "builtins.str"),
    "a partial of a method": (extra(partial(node("MethodNode", "builtins", "str"))), "builtins.str"),
    "a partial with a system function as argument": (
        extra(partial(function(*CHECK_ARRAY), args=[function("os", "system", 99)])),
        "os.system",
    ),
    "a partial without a function": (extra(node("PartialNode", "functools", "partial", content={})), "functools"),
    "the function of a partial alone": (extra(function(*CHECK_ARRAY)), "check_array"),
    "two kinds of nodes with one id": (
        extra([node("TypeNode", "builtins", "str"), function("numpy", "log1p", 77_777)]),
        "fixed list",
    ),
    "a function instead of the type of a key": (extra(called_with_a_key(function("numpy", "log1p"))), "builtins.dict"),
    "a partial instead of the type of a key": (
        extra(called_with_a_key(partial(function(*CHECK_ARRAY)))),
        "builtins.dict",
    ),
    "an object instead of the types of keys": (
        extra({**node("DictNode", "builtins", "dict", content={}), "key_types": node("DictNode", "builtins", "dict")}),
        "builtins.dict",
    ),
    "a sparse matrix of a format that is not checked": (
        extra(node("SparseMatrixNode", "scipy.sparse._dia", "dia_matrix")),
        "dia_matrix",
    ),
    "an operator": (
        with_schema(lambda s: s.update(extra=node("OperatorFuncNode", "operator", "methodcaller"))),
        "oper",
    ),
    "a constructor": (
        with_schema(lambda s: s.update(extra=node("ConstructorFromReduceNode", "subprocess", "Popen"))),
        "subprocess.Popen",
    ),
    "a test module of scikit-learn": (
        with_schema(lambda s: s.update(extra=node("ObjectNode", "sklearn.svm.tests.test_svm", "SVC"))),
        "tests.test_svm.SVC",
    ),
    "a module with a prefix of scikit-learn": (
        with_schema(lambda s: s.update(extra=node("ObjectNode", "sklearn.svm.evil-1", "SVC"))),
        "fixed list",
    ),
    "an estimator that skops trusts but is not allow-listed": (
        with_schema(
            lambda s: s.update(extra=node("ObjectNode", "sklearn.neighbors._classification", "KNeighborsClassifier"))
        ),
        "KNeighborsClassifier",
    ),
    "an unknown loader": (with_schema(lambda s: s.update(extra=node("EvilNode", "builtins", "str"))), "builtins.str"),
    "a loader that is not a string": (with_schema(lambda s: s.update(extra={"__loader__": ["x"]})), "fixed list"),
    "a user-defined class": (lambda _: saved(fitted(Custom())), "Custom"),
    "a user-defined function": (
        lambda _: saved(fitted(make_pipeline(FunctionTransformer(shout), LogisticRegression()))),
        "shout",
    ),
    "a list": (lambda _: saved([1, 2]), "holds a list"),
    "an unfitted estimator": (lambda _: saved(LogisticRegression()), "not a fitted"),
    "a transformer": (lambda _: saved(fitted(StandardScaler())), "holds a StandardScaler"),
}


def object_array() -> bytes:
    """A numpy file that can only be loaded with pickle."""
    buffer = io.BytesIO()
    np.save(buffer, np.array([Evil()], dtype=object), allow_pickle=True)
    return buffer.getvalue()


def huge_array() -> bytes:
    """A numpy file whose header claims a terabyte of data."""
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": "<f8", "fortran_order": False, "shape": (1 << 37,)})
    return buffer.getvalue()


@pytest.mark.parametrize("case", FILES)
def test_a_malicious_or_damaged_file_is_rejected_and_runs_no_code(model: bytes, case: str) -> None:
    """Any invalid file raises ArtifactRefusedError with the cause, and none of its code runs."""
    change, message = FILES[case]
    content = change(model)
    MARK.clear()
    with pytest.raises(ArtifactRefusedError, match=message):
        load_estimator(content)
    assert MARK == []


def test_a_loaded_model_predicts_the_same_as_the_fitted_model(model: bytes) -> None:
    """Saving and loading a model leaves its probabilities bit-identical."""
    features, target = load_breast_cancer(return_X_y=True, as_frame=True)
    wanted = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)).fit(features, target)
    assert np.array_equal(load_estimator(model).predict_proba(features), wanted.predict_proba(features))


def published(store: ModelStore, content: bytes, environment: dict[str, str]) -> str:
    """Publish a version with this model file; return its digest."""
    files = make_files(model=content)
    return store.publish(make_manifest(files, environment=environment), files)


def test_a_version_is_loaded_and_verified(tmp_path: Path, model: bytes) -> None:
    """`load_version` verifies the folder and returns the estimator, the manifest and the profile."""
    store = ModelStore(tmp_path, "team-a")
    digest = published(store, model, library_versions())
    loaded = load_version(store.version_dir("fraud", digest), digest)
    assert loaded.estimator.n_features_in_ == 30
    assert loaded.manifest.digest == digest
    assert loaded.profile == b"{}"


def test_a_malicious_model_with_the_right_digest_is_rejected(tmp_path: Path) -> None:
    """A correct digest does not prove that a file is safe: its types are checked too."""
    store = ModelStore(tmp_path, "team-a")
    digest = published(store, pickle.dumps(Evil()), library_versions())
    MARK.clear()
    with pytest.raises(ArtifactRefusedError, match="pickle"):
        load_version(store.version_dir("fraud", digest), digest)
    assert MARK == []


def test_replaced_bytes_are_never_loaded(tmp_path: Path, model: bytes) -> None:
    store = ModelStore(tmp_path, "team-a")
    digest = published(store, model, library_versions())
    path = store.version_dir("fraud", digest) / "model.skops"
    evil = pickle.dumps(Evil())
    path.unlink()
    path.write_bytes(evil + bytes(len(model) - len(evil)))
    MARK.clear()
    with pytest.raises(ArtifactError, match="damaged or was changed"):
        load_version(path.parent, digest)
    assert MARK == []


@pytest.mark.parametrize(
    ("written", "installed", "fits"),
    [
        ("1.9.1", "1.9.1", True),
        ("1.9.0", "1.9.4", True),
        ("1.8.2", "1.9.1", False),
        ("1.9.1", "1.10.0", False),
        ("2.9.1", "1.9.1", False),
        (None, "1.9.1", False),
    ],
)
def test_a_model_of_another_minor_version_is_rejected(written: str | None, installed: str, fits: bool) -> None:
    """A model of another minor version could predict differently, so it is rejected."""
    environment = {"scikit-learn": written} if written else {}
    if fits:
        check_compatible("scikit-learn", environment, installed)
        return
    with pytest.raises(ArtifactIncompatibleError, match="major and minor version must be equal"):
        check_compatible("scikit-learn", environment, installed)


def test_the_version_is_checked_before_the_model_is_loaded(tmp_path: Path) -> None:
    """The compatibility check precedes loading, so that the error names the library version."""
    store = ModelStore(tmp_path, "team-a")
    digest = published(store, pickle.dumps(Evil()), {"scikit-learn": "0.24.2"})
    with pytest.raises(ArtifactIncompatibleError, match=r"0\.24\.2"):
        load_version(store.version_dir("fraud", digest), digest)


def test_a_forest_can_be_loaded(model: bytes) -> None:
    """By default, skops does not trust trees; the loader accepts them after checking their indices."""
    features, target = load_breast_cancer(return_X_y=True, as_frame=True)
    forest = RandomForestClassifier(n_estimators=5, random_state=1).fit(features, target)
    assert np.array_equal(load_estimator(save_estimator(forest)).predict(features), forest.predict(features))
