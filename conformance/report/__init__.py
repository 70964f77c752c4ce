"""Renders what the run found: one statement, and every format from it.

`statement` the published form · `json_report` · `html` the page · `summary` for reviewers · `junit` ·
`junit_file` for merged runs · `allure` · `terminal` · `case_text` the evidence of one case as text ·
`steps` a transcript taken apart · `causes` which violations are probably one · `alike` which cases fail
alike · `formats` all that a statement is enough for · `report_folder` where it all goes.
`summary_line` what is claimed · `counts` the numbers of every format · `printable`, `markdown` texts from the
wire · `redaction` without secrets, `redaction_hooks` in what pytest writes too.
`comparison`, `comparison_lines` and `comparison_text` two statements side by side · `matrix` and
`matrix_text` clauses by targets · `badge` of one · `merging` several as one · `reproduce` the line that runs
on the same hub again · `digest` of the suite · `deviation_entries` for a profile.
"""
