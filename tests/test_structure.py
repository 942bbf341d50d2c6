"""The structure of the product: small packages and modules, and short class chains."""

from collections import Counter
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = (ROOT / "generator" / "poolspec", ROOT / "pool" / "steadypool")
MODULES = [path for source in SOURCES for path in sorted(source.rglob("*.py"))]
MOST_MODULES = 20
MOST_LINES = 300
MOST_CLASSES = 3
"""The classes in a chain of inheritance, those of the project alone."""


def test_no_package_has_too_many_modules() -> None:
    counted = Counter(path.parent for path in MODULES)
    assert {str(folder) for folder, number in counted.items() if number > MOST_MODULES} == set()


def test_no_module_is_too_long() -> None:
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {path.name: number for path, number in lines.items() if number > MOST_LINES} == {}


def test_no_two_modules_have_one_name_in_one_package() -> None:
    names = [(path.parent.name, path.stem) for path in MODULES if path.stem != "__init__"]
    assert [name for name, number in Counter(names).items() if number > 1] == []


def own_classes() -> list[type]:
    """Return the classes that the product defines, exceptions left out."""
    found = []
    for path in MODULES:
        if path.stem != "__main__":
            module = import_module(name_of(path))
            kinds = [kind for kind in vars(module).values() if isinstance(kind, type)]
            found += [kind for kind in kinds if kind.__module__ == module.__name__]
    return [kind for kind in found if not issubclass(kind, BaseException)]


def name_of(path: Path) -> str:
    """Return the import name of a module."""
    source = next(source for source in SOURCES if path.is_relative_to(source))
    parts = path.relative_to(source.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def depth(kind: type) -> int:
    """Return the length of a class's longest chain of own classes, itself included."""
    own = kind.__module__.partition(".")[0] in ("poolspec", "steadypool")
    return own + max(map(depth, kind.__bases__), default=0)


def test_no_chain_of_classes_is_too_long() -> None:
    depths = {kind.__qualname__: depth(kind) for kind in own_classes()}
    assert len(depths) > 300
    assert {name: found for name, found in depths.items() if found > MOST_CLASSES} == {}
