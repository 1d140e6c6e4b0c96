"""What the user asks of `perennate drift`, checked as far as it can be without opening a file."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from perennate.api.feature_types import FEATURE_KINDS, FeatureKind
from perennate.drift import FeatureRule, Profile, check_rules
from perennate.report.document import Settings
from perennate.tabular.errors import UsageError
from perennate.tabular.missing import MISSING_WORDS
from perennate.tabular.opening import open_source
from perennate.tabular.reading import DataFile
from perennate.tabular.sources import LocalFile


@dataclass(frozen=True)
class ReadOptions:
    """How data files are read."""

    form: str | None
    delimiter: str
    missing: tuple[str, ...] = MISSING_WORDS

    def open(self, path: Path, texts: frozenset[str] = frozenset()) -> DataFile:
        """A file that is ready to be read; columns of `texts` are text if it is a csv file."""
        return open_source(LocalFile(path), form=self.form, delimiter=self.delimiter, texts=texts, missing=self.missing)


@dataclass(frozen=True)
class ColumnRoles:
    """What the user says of columns.

    Args:
        kinds: what these columns are, whatever they look like.
        ignored: columns to leave out.
        target, prediction: columns with the truth and with what the model said.
        task, positive: what the model does, and the class that its probability is of.
    """

    kinds: dict[str, FeatureKind]
    ignored: frozenset[str]
    target: str | None = None
    prediction: str | None = None
    task: str | None = None
    positive: str | None = None

    @property
    def texts(self) -> frozenset[str]:
        """Columns of a csv file that are read as text."""
        return frozenset(name for name, kind in self.kinds.items() if kind == "categorical")


@dataclass(frozen=True)
class JudgementOptions:
    """How the user wants it judged.

    Args:
        settings: of the tests of columns.
        metric, tolerance: of the performance; None: the usual ones.
        rules: columns that are judged otherwise.
        has_target: whether a column with the truth is named.
    """

    settings: Settings
    metric: str | None = None
    tolerance: float | None = None
    rules: Mapping[str, FeatureRule] = field(default_factory=dict)
    has_target: bool = False

    @property
    def requires_performance(self) -> bool:
        """Whether the performance is what the user wants to know."""
        return self.metric is not None or self.tolerance is not None


def judgement_options(given: argparse.Namespace, rules: Mapping[str, FeatureRule]) -> JudgementOptions:
    """How the user wants it judged."""
    settings = Settings(
        min_samples=given.min_samples,
        significance=given.significance,
        warning=given.drifted / 2 if given.warning is None else given.warning,
        drifted=given.drifted,
        min_drifted_features=given.min_drifted_features,
    )
    return JudgementOptions(settings, given.metric, given.tolerance, rules, given.target is not None)


def read_options(given: argparse.Namespace) -> ReadOptions:
    """How data files are read.

    Raises:
        UsageError: the delimiter is no single character.
    """
    delimiter = given.delimiter.replace("\\t", "\t")
    if len(delimiter.encode()) != 1:
        raise UsageError(f"--delimiter must be one ASCII character, got {given.delimiter!r}")
    return ReadOptions(given.format, delimiter, ("", *given.missing_values) if given.missing_values else MISSING_WORDS)


def column_roles(given: argparse.Namespace) -> ColumnRoles:
    """What the user says of columns.

    Raises:
        UsageError: a column is given two roles, or a role without the one that it needs.
    """
    chosen: dict[str, str] = {}
    for role in ("categorical", "numeric", "datetime", "ignore", "target", "prediction"):
        named = getattr(given, role) or []
        for name in [named] if isinstance(named, str) else named:
            if chosen.setdefault(name, role) != role:
                raise UsageError(f"column {name!r} is named by both --{chosen[name]} and --{role}")
    for role in ("task", "positive"):
        if getattr(given, role) and not given.prediction:
            raise UsageError(f"--{role} says something of the predictions: name their column with --prediction")
    kinds: dict[str, FeatureKind] = {
        name: kind for name, role in chosen.items() for kind in FEATURE_KINDS if kind == role
    }
    ignored = frozenset(name for name, role in chosen.items() if role == "ignore")
    return ColumnRoles(kinds, ignored, given.target, given.prediction, given.task, given.positive)


def rules_of(given: argparse.Namespace) -> dict[str, FeatureRule]:
    """Columns that are judged otherwise than all.

    Raises:
        UsageError: a rule is none, or a column has two.
    """
    rules: dict[str, FeatureRule] = {}
    for text in given.rule:
        name, rule = _rule_of(text)
        if name in rules:
            raise UsageError(f"--rule: column {name!r} has two rules")
        rules[name] = rule
    return rules


def _rule_of(text: str) -> tuple[str, FeatureRule]:
    """A column and how it is judged."""
    form = f"--rule must be COLUMN=METHOD:EFFECT, such as age=wasserstein:0.3, got {text!r}"
    name, _, rest = text.rpartition("=")
    method, _, effect = rest.partition(":")
    if not (name and method and effect):
        raise UsageError(form)
    try:
        return name, FeatureRule(method, float(effect))
    except ValueError as error:
        raise UsageError(f"{form}: {error}") from error


def check_rules_of(rules: Mapping[str, FeatureRule], profile: Profile) -> None:
    """Refuse rules that do not fit the reference, before everything that is compared with it is read.

    Raises:
        UsageError: it has no such column, or the column no such effect.
    """
    try:
        check_rules(profile, rules)
    except ValueError as error:
        raise UsageError(f"--rule: {error}") from error


def check_kinds(kinds: Mapping[str, FeatureKind], profile: Profile, reference: str) -> None:
    """Refuse to take columns as what they are not in the reference: of a profile, only text is to be taken otherwise.

    Raises:
        UsageError: it has no such column, or one of another kind.
    """
    known = {feature.name: feature.kind for feature in profile.features}
    for name, kind in kinds.items():
        if known.get(name) != kind:
            found = f"column {name!r} is {known[name]}" if name in known else f"there is no column {name!r}"
            raise UsageError(f"{reference}: {found}, so that --{kind} cannot be said of it")


def check_combination(given: argparse.Namespace) -> None:
    """Refuse options that do not go together.

    Raises:
        UsageError: two do not, or one is missing.
    """
    for option in ("ignore", "reference_rows", "save_profile", "task", "positive"):
        if given.reference is None and getattr(given, option):
            raise UsageError(f"--{option.replace('_', '-')} is about a reference file; a profile has it settled")
    if given.warning is not None and given.warning > given.drifted:
        raise UsageError(f"--warning must be at most --drifted, {given.drifted:g}, got {given.warning:g}")
    if not given.current and not given.counts and not given.save_profile:
        raise UsageError("there is nothing to compare: give --current or --counts")
    _check_outputs(given)


def _check_outputs(given: argparse.Namespace) -> None:
    """Refuse options about columns and answers that nothing has."""
    if given.counts and given.profile is None:
        raise UsageError("--counts needs --profile: the profile.json of the version that the pods serve")
    for option in ("metric", "tolerance"):
        if getattr(given, option) is not None and not (given.counts or (given.target and given.prediction)):
            raise UsageError(f"--{option} needs --target and --prediction: performance is measured from both")
    for option in ("target", "prediction", *FEATURE_KINDS):
        if given.counts and getattr(given, option, None):
            raise UsageError(f"--{option} names columns of files; counts documents have none")
