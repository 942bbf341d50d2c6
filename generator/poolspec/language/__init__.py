"""The spec language, version 1: from the bytes of a file to the values of `poolspec.model`.

The way goes through five rooms, each knowing only those before it:

* `source` and `tree`: bytes → text → a tree of nodes that know where they stand;
* `scalars`, `quantities`, `names`: what a single word, number, duration or comparison means;
* `kinds` and `grammar`: one table of keys for each place of a file. The tables drive the reader,
  the JSON Schema and the key tables of the documentation alike;
* `scope`: which labels, actors and parameters there are, and who sees them;
* `borrowing`, `loads`, `steps`, `expectations`, `cases`, `catalog`: what the tables let through
  → model.

The public way in is `poolspec.load`.
"""
