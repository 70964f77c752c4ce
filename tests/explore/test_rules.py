"""Each rule of the model names a clause that there is, at its level, and what it rests on."""

import re
from pathlib import Path

import pytest

from conformance.documents.catalogue import load
from conformance.explore.actions import VERBS
from conformance.explore.drawing import DRAWS
from conformance.explore.model import HINDRANCES, PLANNERS, rules

SOURCE = re.compile(r"S[1-9][0-9]?|T[1-9][0-9]?|F[1-9][0-9]?|MQTT-\d+\.\d+\.\d+-\d+|fact:(10|[1-9]) .+")


@pytest.mark.parametrize("rule", rules().values(), ids=lambda rule: rule.name)
def test_a_rule_has_a_clause_its_level_and_a_source(rule):
    """A breach of it is a breach of that clause; a clause that is only observed has none."""
    clause = load()[rule.clause]
    assert (rule.level, bool(rule.sources)) == (clause.level, True)
    assert rule.level in {"must", "disputed"}
    assert [source for source in rule.sources if not SOURCE.fullmatch(source)] == []


def test_every_verb_is_planned_and_drawn():
    """An action that the model knows nothing of would be judged by nothing."""
    assert set(VERBS) == set(PLANNERS) == set(HINDRANCES) == set(DRAWS)


def test_the_model_knows_nothing_of_a_hub():
    """It imports neither side of the suite that speaks with one, nor a clock."""
    folder = Path(__file__).parents[2] / "conformance" / "explore"
    names = (
        "actions",
        "corpus",
        "dice",
        "drawing",
        "expectations",
        "ideal",
        "plan",
        "scenarios",
        "state",
        "subscribing",
    )
    pure = [folder / f"{name}.py" for name in names] + sorted(folder.glob("model*.py"))
    imported = {
        line.split()[1]
        for file in pure
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.startswith(("import ", "from "))
    }
    own = {name for name in imported if name.startswith("conformance.explore")}
    assert imported - own == {
        "collections.abc", "conformance.errors", "conformance.evidence.difference", "dataclasses", "enum",
        "functools", "hashlib", "json", "pathlib", "re", "tomllib", "typing",
    }  # fmt: skip
