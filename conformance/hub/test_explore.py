"""What no list of cases reaches: scenarios drawn from a model of the hub, and what each of them brings.

The run makes one test of `explore` for each scenario, ``explore.messages[17]``. A rule of the model that is
broken is a breach of the clause that it cites.
"""


def explore(exploration, observed):
    """Play what was drawn: the hub brings what the model owes, and nothing else."""
    observed(exploration.play())
