"""The ground of the spec language: from the bytes of a file to values with places.

* `source` and `tree`: bytes → text → a tree of nodes that know their line and column;
* `scalars`, `quantities`, `names`: the meaning of a single word, number, duration or comparison;
* `fields` and `kinds`: kinds of values, and tables of keys made of them. The tables drive the
  reader, the JSON Schema and the key tables of the guide;
* `scope`: the labels, actors and parameters of a test, and which steps see them.
"""
