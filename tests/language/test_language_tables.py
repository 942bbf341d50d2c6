"""Files of tables: the statements made from them, and the tables that are refused."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poolspec.errors import SpecErrors
from poolspec.load import load_suite
from poolspec.model import SpecTest
from poolspec.vocabulary import Concurrency

Load = Callable[[str, str], SpecTest]

ORDERS = """\
spec: 1
tables:
  orders:
    columns:
      id: {type: bigint, primary_key: true, auto_increment: true}
      note: {type: varchar(50), default: none yet}
      paid: {type: bool, null: false, default: false}
      placed: {type: timestamp, null: false, default: now}
  order_lines:
    columns:
      order_id: {type: bigint, primary_key: true}
      position: {type: int, primary_key: true}
      quantity: {type: int, null: false, default: 1}
      price:
        type: decimal(10,2)
        default: 9.5
      total:
        type: decimal(12,2)
        generated: quantity * price
    foreign_keys: [{column: order_id, references: orders.id}]
"""
CLASS = """\
spec: 1
class: Shop
purpose: p
tables: TABLES
tests:
  one: {purpose: p, validates: v, covers: [], expect: {server: {peak: 1}}}
"""


def loaded(root: Path, tables: str, named: str) -> SpecTest:
    (root / "tables.yaml").write_text(tables, encoding="utf-8")
    (root / "shop.yaml").write_text(CLASS.replace("TABLES", named), encoding="utf-8")
    return load_suite([root], root=root).classes[0].tests[0]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    return partial(loaded, tmp_path)


def one_table(columns: str, more: str = "") -> str:
    return f"spec: 1\ntables: {{t: {{columns: {columns}{more}}}}}\n"


def said(load: Load, tables: str, named: str = "[]") -> list[str]:
    with pytest.raises(SpecErrors) as caught:
        load(tables, named)
    return [problem.message for problem in caught.value.problems]


def test_tables_become_statements_in_the_order_in_which_a_test_names_them(load: Load) -> None:
    orders, lines = load(ORDERS, "[orders, order_lines]").tables
    assert (orders.name, lines.name) == ("orders", "order_lines")
    assert orders.create == (
        "CREATE TABLE `orders` (`id` BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, "
        "`note` VARCHAR(50) NULL DEFAULT 'none yet', `paid` BOOL NOT NULL DEFAULT FALSE, "
        "`placed` TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)"
    )
    assert lines.create == (
        "CREATE TABLE `order_lines` (`order_id` BIGINT NOT NULL, `position` INT NOT NULL, "
        "`quantity` INT NOT NULL DEFAULT 1, `price` DECIMAL(10, 2) NULL DEFAULT 9.5, "
        "`total` DECIMAL(12, 2) GENERATED ALWAYS AS (`quantity` * `price`) STORED, "
        "PRIMARY KEY (`order_id`, `position`), "
        "FOREIGN KEY (`order_id`) REFERENCES `orders` (`id`))"
    )


def test_a_test_has_no_tables_but_those_it_names(load: Load) -> None:
    test = load(ORDERS, "[]")
    assert (test.tables, test.concurrency) == ((), tuple(Concurrency))


def test_a_test_names_tables_instead_of_its_class(load: Load, tmp_path: Path) -> None:
    load(ORDERS, "[orders, order_lines]")
    path = tmp_path / "shop.yaml"
    text = path.read_text(encoding="utf-8").replace("covers: []", "covers: [], tables: [orders]")
    path.write_text(text, encoding="utf-8")
    (test,) = load_suite([tmp_path], root=tmp_path).classes[0].tests
    assert [table.name for table in test.tables] == ["orders"]


NAMED = {
    "[ordres]": "unknown table 'ordres'",
    "[orders, orders]": "'orders' is named twice",
    "[order_lines, orders]": "'order_lines' refers to orders, which is not made yet",
    "[Orders]": "'Orders' cannot be a table's name",
    "orders": "expected a list of tables, found 'orders'",
}


@pytest.mark.parametrize(("named", "message"), NAMED.items())
def test_a_class_names_tables_that_there_are_and_that_can_be_made(
    named: str, message: str, load: Load
) -> None:
    assert said(load, ORDERS, named) == [message]


COLUMNS = {
    "{}": "expected columns by name, found an empty mapping",
    "{a: {}}": "a column needs the key 'type'",
    "{a: {type: text}}": "'text' is not a type",
    "{a: {type: int(5)}}": "'int(5)' is not a type",
    "{a: {type: varchar}}": "'varchar' is not a type",
    "{a: {type: varchar(0)}}": "'varchar(0)' is not a type",
    "{a: {type: varchar(99999)}}": "'varchar(99999)' is not a type",
    '{a: {type: "decimal(2,3)"}}': "'decimal(2,3)' is not a type",
    '{a: {type: "int, b int"}}': "'int, b int' is not a type",
    "{A: {type: int}}": "'A' cannot be a column's name",
    '{"a`": {type: int}}': "'a`' cannot be a column's name",
    "{a: {type: int, size: 3}}": "unknown key 'size'",
    "{a: {type: int, null: no}}": "expected true or false, found 'no'",
    "{a: {type: int, primary_key: true, null: true}}": "a primary key is never NULL",
    "{a: {type: int, auto_increment: true}}": (
        "a column that the server counts up is a whole number, and the primary key"
    ),
    "{a: {type: bool, primary_key: true, auto_increment: true}}": (
        "a column that the server counts up is a whole number, and the primary key"
    ),
    "{a: {type: int, default: many}}": "'many' cannot be the default of an int",
    "{a: {type: int, default: 1.5}}": "1.5 cannot be the default of an int",
    "{a: {type: bool, default: 1}}": "1 cannot be the default of a bool",
    "{a: {type: varchar(5), default: 5}}": "5 cannot be the default of a varchar",
    """{a: {type: varchar(5), default: "x' y"}}""": '"x\' y" cannot be the default of a varchar',
    r"{a: {type: varchar(5), default: 'x\'}}": r"'x\\' cannot be the default of a varchar",
    "{a: {type: int, generated: 1+1, default: 3}}": (
        "'default' and 'generated' are mutually exclusive"
    ),
    "{a: {type: int, generated: (1 + 1}}": "the parentheses do not match",
    '{a: {type: int, generated: "1) , (1"}}': "the parentheses do not match",
    "{a: {type: int, generated: a + 1}}": "'a' is not a column before this one",
    "{a: {type: int, generated: sleep(5)}}": "'sleep' is not a function",
    "{a: {type: int}, b: {type: int, generated: a(1)}}": "'a' is not a function",
    "{a: {type: int, generated: 1 + abs}}": "'abs' is not a column before this one",
    "{a: {type: int, generated: 1 -- 2}}": "'1 -- 2' is not an expression",
    "{a: {type: int, generated: 1 /* 2}}": "'1 /* 2' is not an expression",
    '{a: {type: int, generated: "1; 2"}}': "'1; 2' is not an expression",
}


@pytest.mark.parametrize(("columns", "message"), COLUMNS.items())
def test_a_wrong_column_is_an_error(columns: str, message: str, load: Load) -> None:
    assert said(load, one_table(columns)) == [message]


FOREIGN = {
    "{column: a, references: t}": "'t' cannot be a column of a table",
    "{column: b, references: t.id}": "unknown column 'b'",
    "{column: a, references: u.id}": "unknown table 'u'",
    "{column: a, references: t.b}": "unknown column 'b'",
    "{column: a, references: t.a}": "t.a is not the primary key of its table",
    "{column: c, references: t.id}": "BIGINT cannot refer to INT",
}


@pytest.mark.parametrize(("foreign", "message"), FOREIGN.items())
def test_a_wrong_foreign_key_is_an_error(foreign: str, message: str, load: Load) -> None:
    columns = "{id: {type: int, primary_key: true}, a: {type: int}, c: {type: bigint}}"
    assert said(load, one_table(columns, f", foreign_keys: [{foreign}]")) == [message]


def test_a_table_may_refer_to_itself(load: Load) -> None:
    columns = "{id: {type: int, primary_key: true}, parent: {type: int}}"
    tables = one_table(columns, ", foreign_keys: [{column: parent, references: t.id}]")
    (table,) = load(tables, "[t]").tables
    assert table.create.endswith("FOREIGN KEY (`parent`) REFERENCES `t` (`id`))")


def test_a_table_is_named_once_in_all_files(load: Load, tmp_path: Path) -> None:
    (tmp_path / "more.yaml").write_text(one_table("{a: {type: int}}"), encoding="utf-8")
    assert said(load, one_table("{a: {type: int}}")) == ["the table 't' exists already"]


def test_the_table_of_generated_load_is_not_for_specs(load: Load) -> None:
    tables = "spec: 1\ntables: {load_rows: {columns: {a: {type: int}}}}\n"
    assert said(load, tables) == ["'load_rows' cannot be a table's name"]


PARTS = ("a", "b", "abs", "(", ")", ",", " ", "1", "*", "-", "/", "'", ";", "`", "\\", "sleep", "#")


@settings(max_examples=300, deadline=None, database=None)
@given(st.lists(st.sampled_from(PARTS), max_size=8).map("".join))
def test_an_expression_that_is_taken_stays_in_its_parentheses(text: str) -> None:
    fields = f"{{a: {{type: int}}, b: {{type: int, generated: {json.dumps(text)}}}}}"
    with TemporaryDirectory() as name:
        try:
            (table,) = loaded(Path(name), one_table(fields), "[t]").tables
        except SpecErrors:
            return
    inner = table.create.partition("GENERATED ALWAYS AS (")[2].removesuffix(") STORED)")
    assert inner.replace("`", "") == text
    assert not set(text) & set("'`;\\#")
    assert "--" not in text
    assert "sleep" not in text
    assert text.count("(") == text.count(")")
