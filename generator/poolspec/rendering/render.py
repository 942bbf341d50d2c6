"""From a spec to the text of its test module.

The templates hold what a module looks like; this module gives them their words. They may use no
value of a spec as it is: each passes through a function of `names`, `literals`, `arguments` or
`scope` on its way. The text is valid Python, not yet formatted, and has no header: `headers` and
`write` see to that.
"""

from collections.abc import Iterable
from functools import cache
from types import ModuleType
from typing import cast

import jinja2

from poolspec.model import (
    Acquire,
    Advance,
    Cancel,
    Close,
    CloseAll,
    Connect,
    Expect,
    Expectations,
    Fork,
    GlobalPool,
    Heal,
    Inject,
    InterruptEverywhere,
    Join,
    Load,
    Maintain,
    Open,
    Query,
    Release,
    Request,
    Resize,
    Resume,
    SpecClass,
    SpecTest,
    Start,
    Step,
    Stop,
    Suspend,
    Transaction,
    Use,
    WaitUntil,
    With,
)
from poolspec.python import body as scope
from poolspec.python import literals, names
from poolspec.rendering import arguments, reading
from poolspec.vocabulary import Concurrency

MACROS: dict[type, str] = {
    Acquire: "acquire",
    Advance: "advance",
    Cancel: "cancel",
    Close: "close",
    CloseAll: "close_all",
    Connect: "connect",
    Expect: "expect",
    Fork: "fork",
    GlobalPool: "global_pool",
    Heal: "heal",
    Inject: "fault",
    InterruptEverywhere: "interrupt_everywhere",
    Join: "join",
    Load: "load",
    Maintain: "maintain",
    Open: "open_pool",
    Query: "query",
    Release: "release",
    Request: "request",
    Resize: "resize",
    Resume: "resume",
    Start: "start",
    Stop: "stop",
    Suspend: "suspend",
    Transaction: "transaction",
    Use: "use",
    WaitUntil: "wait_until",
    With: "with_block",
}
"""The macro of `steps.py.j2` that writes each kind of step."""


def render_module(spec: SpecClass) -> str:
    """Return the module of a spec: valid, unformatted, without header.

    Raises RenderError if a name in the spec would not be safe as Python, which `load` rules out.
    """
    template = _environment().get_template("module.py.j2")
    return template.render(spec=spec, imports=set[str]())


def paragraphs_of_module(spec: SpecClass) -> list[str]:
    """Return what the module's docstring says."""
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
    """Return what a test's docstring says."""
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
        autoescape=False,  # what comes out is Python; `literals` does the quoting
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        actor_arguments=arguments.actor_arguments,
        alone=literals.alone,
        at=_at,
        at_line=_at_line,
        binds_pool=reading.binds_pool,
        class_words=paragraphs_of_class,
        docstring=literals.docstring,
        class_name=class_name,
        import_order=_import_order,
        fault_arguments=arguments.fault_arguments,
        interrupt_arguments=arguments.interrupt_arguments,
        limits=arguments.limits,
        literal=literals.literal,
        literals=arguments.literals,
        load_arguments=arguments.load_arguments,
        measures=reading.measures,
        module_docstring=lambda spec: literals.docstring(paragraphs_of_module(spec), 0),
        needs_pool=reading.needs_pool,
        open_arguments=arguments.open_arguments,
        options=arguments.options,
        parameters=arguments.parameters,
        parametrize=arguments.parametrize,
        query_arguments=arguments.query_arguments,
        request_arguments=arguments.request_arguments,
        scope=scope.of_test,
        spec_mark=arguments.spec_mark,
        statements=_statements,
        test_docstring=lambda test: literals.docstring(paragraphs_of_test(test), 8),
        tight=_tight,
        value=literals.value,
        variable=names.variable,
        web_app=arguments.web_app,
        word=names.word,
    )
    return environment


@cache
def _step_macros() -> ModuleType:
    return cast(ModuleType, _environment().get_template("steps.py.j2").module)


def _statements(steps: Iterable[Step], inside: scope.Scope) -> str:
    macros = _step_macros()
    return _tight(
        "\n".join(
            getattr(macros, MACROS[type(step)])(step, inside, _at_line(step.line)) for step in steps
        )
    )


def _tight(text: str) -> str:
    """Drop the blank lines that templates leave; no literal of ours holds a line break."""
    return "\n".join(line for line in text.split("\n") if line.strip())


def _at_line(line: int) -> str:
    return f"  # line {int(line)}"


def _at(wanted: Expectations, part: str, line: int) -> str:
    return _at_line(wanted.lines.get(part, line))


def _import_order(used: Iterable[str]) -> str:
    """Return names as isort has them: classes first, then functions."""
    return ", ".join(sorted(used, key=lambda name: (name.islower(), name)))
