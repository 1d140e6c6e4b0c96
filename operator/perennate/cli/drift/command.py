"""`perennate drift`: read, count, evaluate, report."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from perennate.cli.drift.assemble import make_report
from perennate.cli.drift.current.counting import CurrentData, count_files
from perennate.cli.drift.current.counting_spec import CountingSpec
from perennate.cli.drift.documents import add_documents, read_profile, save_profile
from perennate.cli.drift.exits import Exit
from perennate.cli.drift.options import (
    ColumnRoles,
    ReadOptions,
    check_combination,
    check_kinds,
    check_rules_of,
    column_roles,
    evaluation_options,
    read_options,
    rules_of,
)
from perennate.cli.drift.outputs.model import Model, remarks_on
from perennate.cli.drift.performance import check_metric
from perennate.cli.drift.progress import ticker
from perennate.cli.drift.reference import ReferenceData, read_reference, workers
from perennate.report.document import DriftReport
from perennate.report.page import page
from perennate.report.table import print_table
from perennate.tabular.errors import UsageError
from perennate.tabular.reading import first_line

SUFFIXES = {".json": "json", ".html": "html", ".htm": "html", ".txt": "table"}


def drift(args: argparse.Namespace, *, created: datetime) -> int:
    """Run the command; returns the exit code.

    Args:
        args: the arguments.
        created: the date of the report.

    Raises:
        UsageError: an option or a file is invalid.
    """
    form = output_form(args)
    report = report_of(args, created=created)
    if report is None:
        return Exit.QUIET
    show(report, form, args.output_file)
    return report.exit_code


def report_of(args: argparse.Namespace, *, created: datetime | None = None) -> DriftReport | None:
    """Read, count and evaluate. Returns None if the command only saves a profile.

    Args:
        args: the arguments.
        created: the date of the report; None: it has none.

    Raises:
        UsageError: an option or a file is invalid.
    """
    check_combination(args)
    files, roles, rules = read_options(args), column_roles(args), rules_of(args)
    reference = reference_of(args, files, roles)
    check_rules_of(rules, reference.profile)
    check_metric(args.metric, reference.model)
    check_kinds(roles.kinds, reference.profile, reference.name)
    if args.save_profile:
        save_profile(reference.profile, args.save_profile)
    if not (args.current or args.counts):
        return None
    current = current_of(args, files, roles, reference)
    return make_report(reference, current, evaluation_options(args, rules), created=created)


def output_form(args: argparse.Namespace) -> str:
    """The output format: the option, else the extension of the output file, else a table.

    Raises:
        UsageError: the extension stands for no format, or HTML would be written to a terminal.
    """
    form = args.output or _form_of(args.output_file)
    if form == "html" and args.output_file is None and sys.stdout.isatty():
        raise UsageError("HTML cannot be shown in a terminal: give --output-file report.html")
    return str(form)


def _form_of(file: Path | None) -> str:
    """The output format by the extension of a file; a table without an extension."""
    if file is None or not file.suffix:
        return "table"
    form = SUFFIXES.get(file.suffix.lower())
    if form is None:
        raise UsageError(
            f"{file}: the extension must be one of {', '.join(SUFFIXES)}; otherwise give -o table, json or html"
        )
    return form


def reference_of(args: argparse.Namespace, files: ReadOptions, roles: ColumnRoles) -> ReferenceData:
    """The reference data."""
    if args.profile is not None:
        profile = read_profile(args.profile)
        found = ReferenceData(str(args.profile), profile, Model.of_profile(profile), profile.rows)
    else:
        file = files.open(args.reference, roles.texts)
        with ticker(f"reading {args.reference.name}", shown=not args.no_progress) as tick:
            found = read_reference(file, roles, limit=args.reference_rows, workers=workers(), tick=tick)
    assumed = args.profile is None
    remarks = remarks_on(found.model, found.profile, positive=args.positive, assumed=assumed)
    return replace(found, remarks=(*found.remarks, *remarks))


def current_of(
    args: argparse.Namespace, files: ReadOptions, roles: ColumnRoles, reference: ReferenceData
) -> CurrentData:
    """The current data."""
    if args.counts:
        return add_documents(args.counts, reference.profile, reference.name)
    columns = roles.target, roles.prediction, roles.ignored, roles.kinds
    spec = CountingSpec(
        reference.profile, reference.name, reference.model, *columns, workers=workers(), time=roles.time
    )
    if roles.prediction is not None and spec.model is None:
        raise UsageError(f"{reference.name} was built without predictions, so --prediction cannot be compared")
    with ticker(f"reading {args.current[0].name}", shown=not args.no_progress) as tick:
        return count_files(args.current, lambda path: files.open(path, spec.texts), spec, tick)


def show(report: DriftReport, form: str, file: Path | None) -> None:
    """Write the report.

    Raises:
        UsageError: the file cannot be written.
    """
    if file is None and form == "table":
        print_table(report, sys.stdout)
        return
    text = report.to_json() if form == "json" else page(report) if form == "html" else ""
    if file is None:
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    try:
        with file.open("w", encoding="utf-8") as stream:
            if form == "table":
                print_table(report, stream)
            stream.write(text)
    except OSError as error:
        raise UsageError(f"{file}: cannot be written: {first_line(error)}") from error
    sys.stderr.write(f"{report.words}\n")
