"""Reports and profiles that `perennate drift` of release 0.1.0 wrote."""

from __future__ import annotations

from perennate.drift import Profile
from perennate.report.document import DriftReport
from tests.support.first_release import content, document


def test_a_report_is_read() -> None:
    report = DriftReport.model_validate_json(content("report/drift-report.json"))
    assert (report.outcome, report.exit_code) == ("DataFault", 4)
    assert (report.reference.rows, report.current.rows) == (160, 700)
    assert [(column.name, column.kind, column.verdict) for column in report.columns] == [
        ("hours", "numeric", "Drifted"),
        ("holiday", "boolean", "None"),
        ("day", "datetime", "None"),
        ("city", "categorical", "None"),
    ]
    assert [(fault.column, fault.check) for fault in report.faults] == [("hours", "out-of-range")]


def test_a_saved_profile_is_read() -> None:
    """A saved reference profile can be passed as `--profile`."""
    profile = Profile.from_bytes(content("report/profile.json"))
    assert profile.digest == document("report/drift-report.json")["profileDigest"]
    assert {feature.name: feature.kind for feature in profile.features} == {
        "hours": "numeric",
        "city": "categorical",
        "holiday": "boolean",
        "day": "datetime",
    }
