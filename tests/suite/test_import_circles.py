"""No module imports in a circle: each can be read, and changed, before the ones that use it."""

from graphlib import TopologicalSorter

import grimp


def test_no_module_of_the_suite_imports_in_a_circle():
    """Imports for types alone, under TYPE_CHECKING, and within a function count too."""
    graph = grimp.build_graph("conformance")
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}

    TopologicalSorter(imports).prepare()
