"""Where a report grows, and how it comes into place."""

import threading

import pytest

from conformance.errors import UsageError
from conformance.report.folder import ReportFolder


def write(folder, text):
    (folder.fresh / "conformance.json").write_text(text)


def test_a_report_comes_into_place_whole(tmp_path):
    folder = ReportFolder(tmp_path / "reports" / "small")
    write(folder, "new")

    assert not folder.final.exists()
    folder.publish()

    assert (folder.final / "conformance.json").read_text() == "new"
    assert [entry.name for entry in folder.final.parent.iterdir()] == ["small"]


def test_the_old_report_goes_as_a_whole_too(tmp_path):
    old = ReportFolder(tmp_path / "small")
    write(old, "old")
    (old.fresh / "junit.xml").write_text("old")
    old.publish()
    new = ReportFolder(tmp_path / "small")
    write(new, "new")

    new.publish()

    assert [(file.name, file.read_text()) for file in new.final.iterdir()] == [("conformance.json", "new")]


def test_a_run_that_ends_early_leaves_the_old_report(tmp_path):
    old = ReportFolder(tmp_path / "small")
    write(old, "old")
    old.publish()

    ReportFolder(tmp_path / "small").discard()

    assert (tmp_path / "small" / "conformance.json").read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["small"]


def test_two_runs_at_once_never_mix(tmp_path):
    folders = [ReportFolder(tmp_path / "small") for _ in range(8)]
    for number, folder in enumerate(folders):
        write(folder, str(number))
        (folder.fresh / "junit.xml").write_text(str(number))
    threads = [threading.Thread(target=folder.publish) for folder in folders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    (one, other) = [(tmp_path / "small" / name).read_text() for name in ("conformance.json", "junit.xml")]
    assert one == other
    assert [entry.name for entry in tmp_path.iterdir()] == ["small"]


def test_a_folder_that_is_no_report_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("chapter one")

    with pytest.raises(UsageError, match="holds something that is no report"):
        ReportFolder(tmp_path)


def test_a_file_in_the_way_is_a_usage_error(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(UsageError, match="Name a folder that can be written"):
        ReportFolder(tmp_path / "file" / "small")
