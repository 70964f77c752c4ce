"""From what a case did to what the run may claim: pure, and the only place that decides.

`verdicts` the verdicts and their order · `needs` what a target must claim · `readings` a disputed outcome ·
`outcome` one case · `clause` one behaviour · `run` the whole, and its exit code.
"""
