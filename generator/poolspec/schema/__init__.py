"""The published schemas, as JSON Schema (draft-07), and checks of files by them.

* `specs`: of spec files, made from the tables of keys that the reader uses, so the two agree;
* `results`: of results files, by which the report reads them back;
* `check`: checks a document by a schema, and names each place where it differs.
"""
