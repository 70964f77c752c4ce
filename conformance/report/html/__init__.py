"""conformance.html: one statement as one page, which loads nothing and runs nothing.

`templates/` has the markup, one file per section; each module beside it says what its section shows:
`overview` what a reader sees first · `other_results` what stands beside the claim · `clauses` each clause
with its evidence · `sequence` the packets of one case · `sentences` the document · `glossary` the words.
`page` gathers them, `comparison` is two statements side by side, `matrix` clauses by targets, `templating`
escapes.
"""
