"""What a single step demands: how it must fail, how long it must take, what must come back."""

from poolspec.model import (
    Acquire,
    Check,
    Close,
    GlobalPool,
    Open,
    Query,
    Release,
    Request,
    Transaction,
    With,
)
from poolspec.prose import amounts
from poolspec.prose.markdown import code


def must(step: Acquire | Release | Query | GlobalPool | Open | With | Transaction | Close) -> str:
    """Return how a step must fail or how long it must take, and the end of its sentence."""
    if isinstance(step, Close):
        return "." if step.took is None else f"; this must take {took(step.took)}."
    demands = [f"fail with {code(step.fails.value)}"] if step.fails else []
    if demands and step.says:
        demands[-1] += f", saying {amounts.labels(step.says)},"
    if isinstance(step, Open) and step.names:
        named = " and ".join(word.value for word in step.names)
        demands[-1] = f"{demands[-1].rstrip(',')}, naming {named},"
    if isinstance(step, Acquire | Query | Open) and step.took is not None:
        demands.append(f"take {took(step.took)}")
    return f"; this must {' and '.join(demands).rstrip(',')}." if demands else "."


def asked(step: Request) -> str:
    """Return the sentence of a request."""
    demands = [f"status {amounts.check(step.status)}"]
    demands += [f"header {code(f'{name}: {text}')}" for name, text in step.headers]
    demands += [f"{code(name)} = {amounts.scalar(value)}" for name, value in step.json]
    text = f"Request {code(step.request)}; the answer must have {', '.join(demands)}"
    soon = "" if step.took is None else f", and take {took(step.took)}"
    return f"{text}{soon}."


def took(wanted: Check) -> str:
    """Return how long a step must take."""
    return amounts.check(wanted, " s").removeprefix("= ")
