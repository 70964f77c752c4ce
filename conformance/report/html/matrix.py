"""Several statements side by side, as a page."""

from conformance.report.html import templating
from conformance.report.matrix import Matrix


def render(matrix: Matrix) -> str:
    """Return the page of a matrix."""
    differing = matrix.differing if len(matrix.columns) > 1 else ()
    contents = [
        ("targets", "Targets"),
        *([("differing", "Where they differ")] if differing else []),
        ("clauses", "All clauses"),
    ]
    return templating.render("matrix.html", matrix=matrix, contents=contents, differing=differing)
