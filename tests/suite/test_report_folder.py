"""Where a report grows, and how it comes into place."""

import errno
import shutil
import threading
from pathlib import Path

import pytest

from conformance.errors import NotWritten, UsageError
from conformance.report import report_folder
from conformance.report.report_folder import ReportFolder, place_of_part


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


def test_a_report_that_another_run_removes_meanwhile_is_nobodys_files(tmp_path, monkeypatch):
    """It is half gone when it is looked at, and another report stands in its place behind that."""
    older, newer = ReportFolder(tmp_path / "small"), ReportFolder(tmp_path / "small")
    write(older, "older")
    (older.fresh / "junit.xml").write_text("older")
    older.publish()
    write(newer, "newer")

    def half_gone(folder):
        monkeypatch.undo()
        (folder / "conformance.json").unlink()
        left = list(folder.iterdir())
        shutil.rmtree(folder)
        newer.fresh.rename(folder)
        return iter(left)

    monkeypatch.setattr(Path, "iterdir", half_gone)
    report_folder.check(tmp_path / "small")


def test_a_folder_that_is_no_report_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("chapter one")

    with pytest.raises(UsageError, match="holds something that is no report"):
        ReportFolder(tmp_path)


def test_a_file_in_the_way_is_a_usage_error(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(UsageError, match="Name a folder that can be written"):
        ReportFolder(tmp_path / "file" / "small")


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_a_folder_that_cannot_be_made_is_no_mistake_of_the_command_line(tmp_path, monkeypatch, number):
    """Code 13, as when the disk is full at the end."""

    def refuses(**_):
        raise OSError(number, "no")

    monkeypatch.setattr(report_folder.tempfile, "mkdtemp", refuses)

    with pytest.raises(NotWritten, match=r"small: no\. Name a folder that can be written") as caught:
        ReportFolder(tmp_path / "small")
    assert caught.value.exit_code == 13


def test_a_report_that_cannot_come_into_place_leaves_the_old_one(tmp_path, monkeypatch):
    old = ReportFolder(tmp_path / "small")
    write(old, "old")
    old.publish()
    new = ReportFolder(tmp_path / "small")
    renamed = Path.rename

    def rename(self, target):
        if self == new.fresh:
            raise OSError(errno.EIO, "Input/output error")
        return renamed(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(OSError, match="Input/output error"):
        new.publish()

    assert (tmp_path / "small" / "conformance.json").read_text() == "old"


def test_what_is_no_report_is_not_replaced_at_the_end_either(tmp_path):
    folder = ReportFolder(tmp_path / "small")
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "thesis.txt").write_text("chapter one")

    with pytest.raises(UsageError, match="holds something that is no report"):
        folder.publish()

    assert (tmp_path / "small" / "thesis.txt").read_text() == "chapter one"


def test_a_part_is_never_put_where_a_whole_report_lies(tmp_path):
    whole = tmp_path / "small.partial"
    whole.mkdir()
    (whole / "conformance.json").write_text('{"run": {"partial": false}}')

    assert place_of_part(tmp_path / "other") == tmp_path / "other.partial"
    assert place_of_part(tmp_path / "other.partial") == tmp_path / "other.partial"
    assert place_of_part(tmp_path / "small") == tmp_path / "small.partial.partial"
