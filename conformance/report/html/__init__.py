"""conformance.html: one statement as one page, which loads nothing and runs nothing.

`markup` escapes · `page` the frame · `overview` what a reader sees first · `other_results` what stands beside
the claim · `clauses` each clause with its evidence · `sequence` the packets of one case ·
`glossary` the words · `comparison` two statements side by side.
"""
