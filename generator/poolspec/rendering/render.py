"""From a spec to the text of its test module.

The templates hold the frame of a module; the writers of `poolspec.steps` fill in its bodies. No
value of a spec reaches the text as it is: each passes through a function of `python.names` or
`python.literals`. The text is valid Python, not yet formatted, and has no header: `generate` adds
both.
"""

from collections import Counter
from collections.abc import Iterable
from functools import cache

import jinja2

from poolspec.expectations.registry import write_expectations
from poolspec.model import SpecClass, SpecTest
from poolspec.python import literals, names
from poolspec.python.body import Body, Line, body_of
from poolspec.rendering import arguments
from poolspec.steps.kind import statements
from poolspec.steps.options import write_options
from poolspec.vocabulary import Concurrency


def render_module(spec: SpecClass) -> str:
    """Return the module of a spec: valid, unformatted, without header.

    Raises RenderError if a name in the spec would not be safe as Python, which `load` rules out.
    """
    template = _environment().get_template("module.py.j2")
    return template.render(spec=spec, imports=set[str]())


def paragraphs_of_module(spec: SpecClass) -> list[str]:
    """Return the paragraphs of the module's docstring."""
    return [literals.sentence(spec.purpose) or f"{spec.name}."]


def paragraphs_of_class(spec: SpecClass, concurrency: Concurrency) -> list[str]:
    """Return the description, paragraph by paragraph, for the first class of the module.

    A class without words has no docstring.
    """
    if concurrency is not spec.concurrency[0]:
        return []
    parts = [literals.sentence(part) for part in spec.description.split("\n\n")]
    return [part for part in parts if part]


def class_name(spec: SpecClass, concurrency: Concurrency) -> str:
    """Return the name of the class that holds the tests' forms for a concurrency."""
    ending = "Asyncio" if concurrency is Concurrency.ASYNCIO else ""
    return f"Test{names.class_name(spec.name)}{ending}"


def paragraphs_of_test(test: SpecTest) -> list[str]:
    """Return the paragraphs of a test's docstring."""
    purpose = literals.sentence(test.purpose) or f"{test.name.replace('_', ' ').capitalize()}."
    validates = literals.sentence(test.validates)
    return [purpose, f"Validates: {_lowered(validates)}"] if validates else [purpose]


def _lowered(text: str) -> str:
    """Put an ordinary word at the start of a sentence in lower case; names keep theirs."""
    first = text.split(" ", 1)[0]
    ordinary = first == "A" or (first[1:].islower() and first[1:].isalpha())
    return text[0].lower() + text[1:] if ordinary else text


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("poolspec.rendering"),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # the output is Python; `literals` does the quoting
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        alone=literals.alone,
        at_line=_mark,
        class_words=paragraphs_of_class,
        docstring=literals.docstring,
        class_name=class_name,
        expectations=_expectations,
        import_order=_import_order,
        module_docstring=lambda spec: literals.docstring(paragraphs_of_module(spec), 0),
        options=write_options,
        parameters=arguments.parameters,
        parametrize=arguments.parametrize,
        body=_body,
        spec_mark=arguments.spec_mark,
        statements=_statements,
        test_docstring=lambda test: literals.docstring(paragraphs_of_test(test), 8),
        web_app=arguments.web_app,
        word=names.word,
    )
    return environment


def _body(test: SpecTest, imports: set[str], concurrency: Concurrency) -> Body:
    """Return the body of a test; `imports` collects the names that a module uses."""
    return body_of(test.steps, test.expect.reads(), imports, concurrency, Counter())


def _statements(test: SpecTest, body: Body) -> str:
    return _text(statements(test.steps, body))


def _expectations(test: SpecTest, body: Body) -> str:
    return _text(write_expectations(test.expect, body, test.line))


def _text(lines: Iterable[Line]) -> str:
    marked = (line.text if line.at is None else line.text + _mark(line.at) for line in lines)
    return "\n".join(marked)


def _mark(line: int) -> str:
    return f"  # line {int(line)}"


def _import_order(used: Iterable[str]) -> str:
    """Return names as isort has them: classes first, then functions."""
    return ", ".join(sorted(used, key=lambda name: (name.islower(), name)))
