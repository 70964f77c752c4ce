"""Renders what the run found: one statement, and every format from it.

`statement` the published form · `json_report` · `junit` · `allure` · `terminal` · `case_text` the evidence
of one case as text · `folder` where it all goes.
"""
