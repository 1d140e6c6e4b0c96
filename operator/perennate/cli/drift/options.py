"""The options of `perennate drift`, validated without opening a file."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from perennate.api.feature_types import FEATURE_KINDS, FeatureKind
from perennate.drift import FeatureRule, Profile, check_rules
from perennate.report.document import ReportSettings
from perennate.tabular.errors import UsageError
from perennate.tabular.missing import MISSING_WORDS
from perennate.tabular.opening import open_source
from perennate.tabular.reading import DataFile
from perennate.tabular.sources import LocalFile

RESERVED_DELIMITERS = frozenset('"\r\n')


@dataclass(frozen=True)
class ReadOptions:
    """How data files are read.

    Args:
        form: csv, jsonl, parquet or feather; None: by the extension.
        delimiter: the character between the fields of a csv file; None: detected.
        missing: words of a csv file that mean a missing value.
        decimal: the character before the decimals of numbers in text.
        marked: values of other files that mean a missing value, as text.
    """

    form: str | None
    delimiter: str | None = None
    missing: tuple[str, ...] = MISSING_WORDS
    decimal: str = "."
    marked: tuple[str, ...] = ()

    def open(self, path: Path, texts: frozenset[str] = frozenset()) -> DataFile:
        """Open a file. The columns in `texts` of a csv file are read as text."""
        return open_source(
            LocalFile(path),
            form=self.form,
            delimiter=self.delimiter,
            decimal=self.decimal,
            texts=texts,
            missing=self.missing,
            marked=self.marked,
        )


@dataclass(frozen=True)
class ColumnRoles:
    """The roles of columns that the user sets.

    Args:
        kinds: kinds of columns, in place of the inferred ones.
        ignored: columns to exclude.
        target, prediction: columns with true labels and predictions.
        task, positive: task of the model, and the class that its probability refers to.
        threshold: probability above which the positive class is predicted; None: one half.
        time: column with the time of the rows, which is not compared.
    """

    kinds: dict[str, FeatureKind]
    ignored: frozenset[str]
    target: str | None = None
    prediction: str | None = None
    task: str | None = None
    positive: str | None = None
    threshold: float | None = None
    time: str | None = None

    @property
    def texts(self) -> frozenset[str]:
        """Columns of a csv file that are read as text."""
        return frozenset(name for name, kind in self.kinds.items() if kind == "categorical")


@dataclass(frozen=True)
class EvaluationOptions:
    """How the data are evaluated.

    Args:
        settings: settings of the tests.
        metric, tolerance: of the performance; None for the defaults.
        rules: columns with another method or threshold.
        has_target: whether a column with the truth is named.
        series: whether the rows are in the order of time.
    """

    settings: ReportSettings
    metric: str | None = None
    tolerance: float | None = None
    rules: Mapping[str, FeatureRule] = field(default_factory=dict)
    has_target: bool = False
    series: bool = False

    @property
    def requires_performance(self) -> bool:
        """Whether the user requires a verdict on the performance."""
        return self.metric is not None or self.tolerance is not None


def evaluation_options(args: argparse.Namespace, rules: Mapping[str, FeatureRule]) -> EvaluationOptions:
    """How the data are evaluated."""
    settings = ReportSettings(
        min_samples=args.min_samples,
        significance=args.significance,
        warning=args.drifted / 2 if args.warning is None else args.warning,
        drifted=args.drifted,
        min_drifted_features=args.min_drifted_features,
    )
    return EvaluationOptions(
        settings, args.metric, args.tolerance, rules, args.target is not None, args.time is not None
    )


def read_options(args: argparse.Namespace) -> ReadOptions:
    """How data files are read.

    Raises:
        UsageError: a delimiter or decimal is not a single character, or has another meaning in csv.
    """
    delimiter = None if args.delimiter is None else args.delimiter.replace("\\t", "\t")
    if delimiter is not None and (len(delimiter.encode()) != 1 or delimiter in RESERVED_DELIMITERS):
        raise UsageError(
            f"--delimiter must be one ASCII character other than a quotation mark or the end of a line, "
            f"got {args.delimiter!r}"
        )
    if delimiter == args.decimal:
        raise UsageError(f"--delimiter and --decimal must differ, got {args.decimal!r} for both")
    missing = ("", *args.na) if args.no_default_na else (*MISSING_WORDS, *args.na)
    return ReadOptions(args.format, delimiter, missing, args.decimal, tuple(args.na))


def column_roles(args: argparse.Namespace) -> ColumnRoles:
    """The roles of columns that the user sets.

    Raises:
        UsageError: a column has two roles, or an option needs another one.
    """
    chosen: dict[str, str] = {}
    for role in ("categorical", "numeric", "datetime", "ignore", "target", "prediction", "time"):
        named = getattr(args, role) or []
        for name in [named] if isinstance(named, str) else named:
            if chosen.setdefault(name, role) != role:
                raise UsageError(f"column {name!r} is named by both --{chosen[name]} and --{role}")
    for role in ("task", "positive", "threshold"):
        if getattr(args, role) is not None and not args.prediction:
            raise UsageError(f"--{role} needs --prediction")
    kinds: dict[str, FeatureKind] = {
        name: kind for name, role in chosen.items() for kind in FEATURE_KINDS if kind == role
    }
    ignored = frozenset(name for name, role in chosen.items() if role == "ignore")
    return ColumnRoles(
        kinds, ignored, args.target, args.prediction, args.task, args.positive, args.threshold, args.time
    )


def rules_of(args: argparse.Namespace) -> dict[str, FeatureRule]:
    """Columns with another method or threshold.

    Raises:
        UsageError: a rule is invalid, or a column has two.
    """
    rules: dict[str, FeatureRule] = {}
    for text in args.rule:
        name, rule = _rule_of(text)
        if name in rules:
            raise UsageError(f"--rule: column {name!r} has two rules")
        rules[name] = rule
    return rules


def _rule_of(text: str) -> tuple[str, FeatureRule]:
    """A column and its rule."""
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
    """Refuse rules that do not apply to the reference, before the current files are read.

    Raises:
        UsageError: a column does not exist, or the method does not apply to it.
    """
    try:
        check_rules(profile, rules)
    except ValueError as error:
        raise UsageError(f"--rule: {error}") from error


def check_kinds(kinds: Mapping[str, FeatureKind], profile: Profile, reference: str) -> None:
    """Refuse kinds that differ from those of the reference.

    Raises:
        UsageError: a column does not exist or has another kind.
    """
    known = {feature.name: feature.kind for feature in profile.features}
    for name, kind in kinds.items():
        if known.get(name) != kind:
            found = f"column {name!r} is {known[name]}" if name in known else f"there is no column {name!r}"
            raise UsageError(f"{reference}: {found}, so --{kind} does not apply")


def check_combination(args: argparse.Namespace) -> None:
    """Refuse invalid combinations of options.

    Raises:
        UsageError: two options conflict, or one is missing.
    """
    for option in ("ignore", "reference_rows", "save_profile", "task", "positive", "threshold"):
        if args.reference is None and getattr(args, option):
            raise UsageError(f"--{option.replace('_', '-')} needs a --reference file; it cannot change a profile")
    if args.warning is not None and args.warning > args.drifted:
        raise UsageError(f"--warning must be at most --drifted, {args.drifted:g}, got {args.warning:g}")
    if not args.current and not args.counts and not args.save_profile:
        raise UsageError("no current data: give --current or --counts")
    _check_outputs(args)


def _check_outputs(args: argparse.Namespace) -> None:
    """Refuse options about columns and predictions that the data do not have."""
    if args.counts and args.profile is None:
        raise UsageError("--counts needs --profile: the profile.json of the served version")
    for option in ("metric", "tolerance"):
        if getattr(args, option) is not None and not (args.counts or (args.target and args.prediction)):
            raise UsageError(f"--{option} needs --target and --prediction")
    for option in ("target", "prediction", "time", *FEATURE_KINDS):
        if args.counts and getattr(args, option, None):
            raise UsageError(f"--{option} names columns of files, and counts documents have none")
