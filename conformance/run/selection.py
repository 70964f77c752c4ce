"""Which cases of the suite a run is about: --clause, --section, --level, --source.

An option given twice widens the selection, two different options narrow it. A run that selects claims no
conformance, whatever it selects: only a run of everything does.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final, Self, get_args

import pytest

from conformance.documents.catalogue import Catalogue, Clause, Level, Source
from conformance.errors import UsageError

# pytest's own ways to leave cases out, as the command line spells them.
_OF_PYTEST: Final = {
    "keyword": "-k",
    "markexpr": "-m",
    "deselect": "--deselect",
    "ignore": "--ignore",
    "ignore_glob": "--ignore-glob",
    "lf": "--lf",
}
# allure-pytest's, each with pairs of a label and a value.
_OF_ALLURE: Final = {
    "allure_severities": "--allure-severities",
    "allure_epics": "--allure-epics",
    "allure_features": "--allure-features",
    "allure_stories": "--allure-stories",
    "allure_ids": "--allure-ids",
}


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What the four options say; an empty tuple leaves out nothing."""

    globs: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    @classmethod
    def of(cls, config: pytest.Config) -> Self:
        """Read the command line."""
        option = config.option
        return cls(
            globs=tuple(option.clause or ()),
            sections=tuple(option.section or ()),
            levels=tuple(option.level or ()),
            sources=tuple(option.source or ()),
        )

    def __bool__(self) -> bool:
        return any((self.globs, self.sections, self.levels, self.sources))

    def takes(self, clause: Clause) -> bool:
        """Say whether the cases of a clause are to run."""
        return (
            (not self.globs or any(fnmatchcase(clause.id, glob) for glob in self.globs))
            and (not self.sections or clause.section in self.sections)
            and (not self.levels or clause.level in self.levels)
            and (not self.sources or clause.source in self.sources)
        )

    def words(self) -> list[str]:
        """Return the options as they are written on the command line."""
        return [
            *(f"--clause {glob}" for glob in self.globs),
            *(f"--section {section}" for section in self.sections),
            *(f"--level {level}" for level in self.levels),
            *(f"--source {source}" for source in self.sources),
        ]

    def check(self, catalogue: Catalogue) -> None:
        """Raise UsageError, one line for each word that means nothing here."""
        problems = list(self._problems(catalogue))
        if not problems and self and not any(map(self.takes, catalogue.clauses.values())):
            problems = [f"{' '.join(self.words())}: no clause is all of that. Leave one of them out."]
        if problems:
            raise UsageError("\n".join(problems))

    def _problems(self, catalogue: Catalogue) -> Iterator[str]:
        for glob in self.globs:
            if not any(fnmatchcase(clause_id, glob) for clause_id in catalogue.clauses):
                yield f"--clause {glob}: matches no clause. List them with: python -m conformance clauses"
        known = {
            "--section": (self.sections, [section.name for section in catalogue.sections]),
            "--level": (self.levels, get_args(Level)),
            "--source": (self.sources, get_args(Source)),
        }
        for option, (given, choices) in known.items():
            for word in given:
                if word not in choices:
                    yield f"{option} {word}: not known. Choose from {', '.join(choices)}."


def left_out_by(config: pytest.Config, selection: Selection, *, places: Sequence[str] = ()) -> list[str]:
    """Return the words of the command line that leave cases out; `places` are parts of the suite."""
    words = selection.words()
    for name, spelling in _OF_PYTEST.items():
        value = getattr(config.option, name, None)
        if isinstance(value, str) and value:
            words.append(f"{spelling} {value}")
        elif value:
            words += [f"{spelling} {each}" for each in value] if isinstance(value, list) else [spelling]
    return [*words, *by_allure(config), *places]


def by_allure(config: pytest.Config) -> list[str]:
    """Return the words that select by the labels of Allure, as the command line spells them."""
    option = config.option
    given = [(f"{spelling} ", getattr(option, name, None)) for name, spelling in _OF_ALLURE.items()]
    given += [(f"--allure-label {labels[0][0]}=", labels) for labels in getattr(option, "allure_labels", ())]
    return [f"{spelling}{_values(labels)}" for spelling, labels in given if labels]


def _values(labels: Iterable[tuple[str, object]]) -> str:
    return ",".join(sorted(str(getattr(value, "value", value)) for _, value in labels))
