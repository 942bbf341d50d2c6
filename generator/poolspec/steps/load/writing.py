"""The steps `load` and `stop` as Python, and in words."""

from collections.abc import Iterator

from poolspec.prose import amounts
from poolspec.prose.markdown import code
from poolspec.prose.sentence import Sentence
from poolspec.python.body import Body, Lines, pool
from poolspec.python.literals import by_text, literal, row, value
from poolspec.python.names import variable
from poolspec.spec.values import Value
from poolspec.steps.load.model import DEFAULT_MIX, Load, Stop
from poolspec.vocabulary import Arrivals, Runner, Via


def write_load(step: Load, body: Body) -> Lines:
    """Yield the statement of a load."""
    call = "lab.start_load" if step.until_stopped else f"{body.awaits}lab.load"
    yield f"{body.bind(step.label)}{call}({', '.join(_arguments(step, body))})"


def _arguments(step: Load, body: Body) -> Iterator[str]:
    yield literal(step.label)
    yield f"clients={value(step.clients)}"
    if step.pool is not None:
        yield f"pool={pool(step.pool)}"
    if step.total is not None:
        yield f"operations={value(step.total)}"
    if step.each is not None:
        yield f"each={value(step.each)}"
    if step.requests:
        yield f"requests={by_text(step.requests)}"
    elif step.counts:
        yield f"operations={body.by_member(step.counts)}"
    elif step.mix != DEFAULT_MIX:
        yield f"mix={body.by_member(step.mix)}"
    if step.statements:
        texts = (f"{body.member(kind)}: {row(texts)}" for kind, texts in step.statements)
        yield f"statements={{{', '.join(texts)}}}"
    yield from _timing(step, body)
    for name, within in (("hold", step.hold), ("think", step.think)):
        if within is not None:
            yield f"{name}={row(within)}"
    if step.timeout is not None:
        yield f"timeout={value(step.timeout)}"
    if step.via is not Via.ACQUIRE:
        yield f"via={body.member(step.via)}"
    if step.runner is not Runner.THREADS:
        yield f"runner={body.member(step.runner)}"


def _timing(step: Load, body: Body) -> Iterator[str]:
    given = (("duration", step.duration), ("rate", step.rate), ("seed", step.seed))
    for name, amount in (*given, ("ramp", step.ramp), ("warm_up", step.warm_up or None)):
        if amount is not None:
            yield f"{name}={value(amount)}"
    if step.arrivals is not Arrivals.EVEN:
        yield f"arrivals={body.member(step.arrivals)}"


def say_load(step: Load) -> Sentence:
    """Return the sentence of a load."""
    parts = [f"{amounts.value(step.clients)} clients", *_operations(step)]
    parts += _statements(step)
    if step.hold is not None:
        parts.append(f"each holding its connection for {_within(step.hold)}")
    if step.think is not None:
        parts.append(f"pausing for {_within(step.think)} after each")
    parts += _course(step)
    if step.timeout is not None:
        parts.append(f"waiting {amounts.seconds(step.timeout)} at most")
    if step.via is Via.WITH:
        parts.append("through `with`")
    if step.runner is Runner.EXECUTOR:
        parts.append("under `concurrent.futures`")
    verb = "Start" if step.until_stopped else "Run"
    of = "" if step.pool is None else f" on {code(step.pool)}"
    return Sentence(f"{verb} the load {code(step.label)}{of}: {', '.join(parts)}.")


def _within(given: tuple[Value, Value]) -> str:
    shortest, longest = (amounts.seconds(item) for item in given)
    return shortest if shortest == longest else f"{shortest} to {longest}"


def _statements(step: Load) -> Iterator[str]:
    for kind, texts in step.statements:
        yield f"each {kind.value} running {amounts.labels(texts)}"


def _course(step: Load) -> Iterator[str]:
    """Yield the course of a load over time."""
    if step.rate is not None:
        spaced = "evenly" if step.arrivals is Arrivals.EVEN else "as a Poisson process"
        seed = "" if step.seed is None else f" with the seed {amounts.value(step.seed)}"
        yield f"{amounts.value(step.rate)} due per second, spaced {spaced}{seed}"
    if step.ramp is not None:
        what = "the clients starting" if step.rate is None else "the rate rising"
        yield f"{what} within {amounts.seconds(step.ramp)}"
    if isinstance(step.warm_up, float):
        yield f"the first {amounts.seconds(step.warm_up)} not counted"
    elif step.warm_up:
        yield f"after {amounts.value(step.warm_up)} that do not count"


def _operations(step: Load) -> Iterator[str]:
    if step.requests:
        asked = (f"{amounts.value(count)} × {code(request)}" for request, count in step.requests)
        yield f"sending {' and '.join(asked)}"
        return
    if step.counts:
        yield " and ".join(f"{count} {kind.value} operations" for kind, count in step.counts)
        return
    if step.total is not None:
        yield f"{amounts.value(step.total)} operations in all"
    if step.until_stopped:
        yield "operations until it is stopped"
    if step.duration is not None:
        yield f"operations for {amounts.seconds(step.duration)}"
    if step.each is not None:
        yield f"{amounts.value(step.each)} operations each"
    shares = [
        f"{share} {kind.value}" if len(step.mix) > 1 else kind.value for kind, share in step.mix
    ]
    yield f"of the kind {shares[0]}" if len(shares) == 1 else f"mixed {' : '.join(shares)}"


def write_stop(step: Stop, body: Body) -> Lines:
    """Yield the statement that ends a load."""
    yield f"{body.awaits}lab.stop_load({variable(step.label)})"


def say_stop(step: Stop) -> Sentence:
    """Return the sentence of its end."""
    return Sentence(f"Stop the load {code(step.label)}.")
