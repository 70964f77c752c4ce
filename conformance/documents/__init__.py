"""What the document says, as data: its sentences, and the catalogue of the clauses that check them."""
