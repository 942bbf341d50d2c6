"""From a spec to the text of its test module.

The templates hold the frame of a module; the writers of `poolspec.steps` fill in its bodies. No
value of a spec reaches the text as it is: each passes through a function of `python.names` or
`python.literals`. The text is valid Python, not yet formatted, and has no header: `generate` adds
both.
"""

import re
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

STEP_NUMBER = re.compile(r"[1-9][0-9]*(?:\.[1-9][0-9]*)*")


def render_module(spec: SpecClass, concurrency: Concurrency) -> str:
    """Return the module of a spec for threads or for asyncio: valid, unformatted, without header.

    Raises RenderError if a name in the spec would not be safe as Python, which `load` rules out.
    """
    template = _environment().get_template("module.py.j2")
    return template.render(spec=spec, concurrency=concurrency, imports=set[str]())


def paragraphs_of_module(spec: SpecClass) -> list[str]:
    """Return the paragraphs of the module's docstring."""
    return [literals.sentence(spec.purpose) or f"{spec.name}."]


def paragraphs_of_class(spec: SpecClass) -> list[str]:
    """Return the description, paragraph by paragraph. A class without one has no docstring."""
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
        class_words=paragraphs_of_class,
        docstring=literals.docstring,
        class_name=class_name,
        import_order=_import_order,
        module_docstring=lambda spec: literals.docstring(paragraphs_of_module(spec), 0),
        options=write_options,
        parameters=arguments.parameters,
        parametrize=arguments.parametrize,
        body=_body,
        server_settings=arguments.server_settings,
        spec_mark=arguments.spec_mark,
        statements=_statements,
        test_docstring=lambda test: literals.docstring(paragraphs_of_test(test), 8),
        web_app=arguments.web_app,
        word=names.word,
    )
    return environment


def _body(test: SpecTest, imports: set[str], concurrency: Concurrency) -> Body:
    """Return the body of a test; `imports` collects the names that a module uses."""
    return body_of(test.steps, test.expect.reads(), imports, concurrency)


def _statements(test: SpecTest, body: Body) -> str:
    """Return the statements of a test; each step's first line carries the step's number."""
    lines = [(line.text, _mark(line)) for line in statements(test.steps, body)]
    lines += [(line, _AT_THE_END) for line in write_expectations(test.expect, body)]
    marked, last = [], ""
    for text, mark in lines:
        marked.append(text + mark if mark != last else text)
        last = mark or last
    return "\n".join(marked)


_AT_THE_END = "  # at the end"


def _mark(line: Line) -> str:
    if line.step is None:
        return ""
    if not STEP_NUMBER.fullmatch(line.step):
        raise names.RenderError(f"{line.step!a} is not the number of a step")
    return f"  # step {line.step}"


def _import_order(used: Iterable[str]) -> str:
    """Return names as isort has them: classes first, then functions."""
    return ", ".join(sorted(used, key=lambda name: (name.islower(), name)))
