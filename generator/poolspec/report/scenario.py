"""A test in plain words: a sentence for each step, a statement for each expectation.

The words are Markdown: text that comes from a spec has passed `prose.markdown`. The sentences of
steps stand in their rows in `poolspec.steps`. A step with steps inside it has theirs as children.
"""

from poolspec.expectations.registry import say_expectations
from poolspec.model import SpecTest
from poolspec.prose import amounts
from poolspec.prose.markdown import code
from poolspec.prose.sentence import Sentence
from poolspec.steps.kind import say_all


def scenario(test: SpecTest) -> tuple[Sentence, ...]:
    """Return the actions of a test and the state that must hold at its end, in order."""
    made = amounts.labels(table.name for table in test.tables)
    before = [Sentence("Use two private servers.")] if test.servers == 2 else []
    before += [_settings(test)] if test.server_settings else []
    before += [Sentence(f"Make the tables {made}.")] if made else []
    before += [_pool(test)] if test.needs_pool else []
    holds = tuple(say_expectations(test.expect))
    end = (Sentence("At the end:", holds),) if holds else ()
    return (*before, *say_all(test.steps), *end)


def _settings(test: SpecTest) -> Sentence:
    given = ", ".join(f"{code(name)} {value}" for name, value in test.server_settings)
    return Sentence(f"Give the server the settings {given}.")


def _pool(test: SpecTest) -> Sentence:
    if test.web_app is not None:
        app = code(test.web_app)
        return Sentence(f"Serve the web application {app} on a pool{amounts.options(test.pool)}.")
    return Sentence(f"Make a pool{amounts.options(test.pool)}.")
