"""What generated load does, in plain words."""

from collections.abc import Iterator

from poolspec.model import Load
from poolspec.prose import amounts
from poolspec.prose.markdown import code
from poolspec.vocabulary import Runner, Via


def carried_out(step: Load) -> str:
    """Return the sentence of a load."""
    parts = [f"{amounts.value(step.clients)} clients", *_operations(step)]
    if step.hold is not None:
        shortest, longest = (amounts.seconds(item) for item in step.hold)
        parts.append(f"each holding its connection for {shortest} to {longest}")
    if step.timeout is not None:
        parts.append(f"waiting {amounts.seconds(step.timeout)} at most")
    if step.via is Via.WITH:
        parts.append("through `with`")
    if step.runner is Runner.EXECUTOR:
        parts.append("under `concurrent.futures`")
    verb = "Start" if step.until_stopped else "Run"
    return f"{verb} the load {code(step.label)}: {', '.join(parts)}."


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
    if step.each is not None:
        yield f"{amounts.value(step.each)} operations each"
    shares = [
        f"{share} {kind.value}" if len(step.mix) > 1 else kind.value for kind, share in step.mix
    ]
    yield f"of the kind {shares[0]}" if len(shares) == 1 else f"mixed {' : '.join(shares)}"
