"""conformance.json fits the published schema, and the digests say what they should."""

import json
from pathlib import Path

import pytest
from json_schema import problems
from sample import holding, mixed

from conformance.documents import catalogue
from conformance.report import json_report
from conformance.report.digest import suite_digest

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "schema" / "conformance-1.json").read_text())


def written(made, folder):
    json_report.write(made, folder / "conformance.json")
    return json.loads((folder / "conformance.json").read_text())


@pytest.mark.parametrize("made", [mixed(), holding()], ids=["mixed", "holding"])
def test_what_is_written_fits_the_published_schema(made, tmp_path):
    assert problems(written(made, tmp_path), SCHEMA) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda values: values.pop("run"), "$: run is missing"),
        (lambda values: values["run"].update(partial="no"), "$.run.partial: 'no' is no boolean"),
        (
            lambda values: values["clauses"][0].update(verdict="fine"),
            "$.clauses[0].verdict: 'fine' is none of",
        ),
        (lambda values: values["suite"].update(mood="good"), "$.suite: 'mood' is no field of it"),
        (lambda values: values.update(schema=2), "$.schema: is not 1"),
        (lambda values: values["summary"].update(fine=1), "$.summary key: 'fine' is none of"),
    ],
)
def test_the_schema_refuses_what_is_none(tmp_path, change, says):
    values = written(mixed(), tmp_path)
    change(values)

    assert [line for line in problems(values, SCHEMA) if line.startswith(says)]


def test_a_pass_has_no_evidence_and_a_deviation_has_its_reason(tmp_path):
    cases = {each["id"]: each for one in written(mixed(), tmp_path)["clauses"] for each in one["cases"]}

    assert list(cases["test_small.py::test_rule[1]"]) == [
        "id", "title", "verdict", "reading", "observed", "began", "seconds", "worker", "message",
    ]  # fmt: skip
    assert cases["test_small.py::test_rule[known]"]["deviation"] == {
        "clause": "twin.get",
        "case": "*",
        "observed": "status 200",
        "reason": "the table says 200",
        "since": "2026-01-01",
        "expires": "2027-01-01",
        "link": "https://tracker.example/12",
    }


def test_what_is_written_reads_back_as_it_was(tmp_path):
    made = mixed()
    json_report.write(made, tmp_path / "conformance.json")

    assert json_report.read(tmp_path / "conformance.json") == made


# -- digests


@pytest.fixture
def package(tmp_path):
    suite_digest.cache_clear()
    (tmp_path / "clauses").mkdir()
    (tmp_path / "test_x.py").write_text("assert True")
    (tmp_path / "clauses" / "x.toml").write_text("title = 1")
    yield tmp_path
    suite_digest.cache_clear()


def digest(package):
    suite_digest.cache_clear()
    return suite_digest(package)


def test_a_changed_test_changes_the_digest(package):
    before = digest(package)
    (package / "test_x.py").write_text("assert 1")

    assert digest(package) != before


def test_a_renamed_file_changes_the_digest(package):
    before = digest(package)
    (package / "test_x.py").rename(package / "test_y.py")

    assert digest(package) != before


@pytest.mark.parametrize("name", ["profiles/mine.toml", "__pycache__/x.py", "README.md", "clauses/note.txt"])
def test_what_is_not_the_suite_changes_nothing(package, name):
    before = digest(package)
    (package / name).parent.mkdir(exist_ok=True)
    (package / name).write_text("anything")

    assert digest(package) == before


def test_the_digest_is_computed_once(package):
    suite_digest(package)
    suite_digest(package)

    assert suite_digest.cache_info().misses == 1


def test_the_clauses_have_a_digest_of_their_own(tmp_path):
    (tmp_path / "a.toml").write_text(
        'title = "A"\nanchor = "a"\n[clause.b]\nlevel = "must"\nsource = "mqtt"\nsays = "B."\n'
    )
    before = catalogue.load(tmp_path).digest
    (tmp_path / "a.toml").write_text((tmp_path / "a.toml").read_text().replace("B.", "C."))

    assert len(before) == 64
    assert catalogue.load(tmp_path).digest != before
