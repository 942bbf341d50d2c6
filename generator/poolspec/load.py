"""Spec files → the model; or everything that is wrong with them, in one go.

Files are read in two rounds: first those that may hold profiles or requirements, then the classes
that refer to them. Whether a class is right never depends on the order in which files are given.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from poolspec.errors import Problem, SpecErrors, expected, shown
from poolspec.language import grammar as g
from poolspec.language.cases import ClassBuilder
from poolspec.language.catalog import Catalog
from poolspec.language.kinds import Place, Reader, Wrong, read_fields
from poolspec.language.names import stem_fault
from poolspec.language.source import Refused, Source, accept_text, read_source
from poolspec.language.tree import Mapping, Node, parse
from poolspec.model import SpecClass, Suite

_ENDINGS = (".yaml", ".yml")
_SHARED = (b"profiles", b"requirements")
"""A file without these words is neither a file of profiles nor one of requirements."""


def load_suite(paths: Sequence[Path], *, root: Path) -> Suite:
    """Load spec files, and all `*.yaml` and `*.yml` in and below folders, hidden ones excepted.

    Paths in errors and in the model are relative to `root`. Classes come in the order of their
    paths, requirements in that of their keys. Raises `SpecErrors` with every problem of every file.
    """
    loader = _Loader(root.absolute())
    files = {_absolute(path): path for path in _files(paths, loader)}
    sources = [loader.read(files[absolute]) for absolute in sorted(files)]
    shared = [source for source in sources if any(word in source.data for word in _SHARED)]
    first = {id(source) for source in shared}
    readers = [(source, loader.open(source)) for source in shared]
    for source, opened in sorted(readers, key=lambda pair: _is_class(pair[1])):
        loader.take(source, opened)
    for source in sources:
        if id(source) not in first:
            loader.take(source, loader.open(source))
    return loader.suite()


def load_class_text(text: bytes, path: PurePosixPath) -> SpecClass:
    """Load one test class that uses no profiles. Raises `SpecErrors`."""
    loader = _Loader(Path("/"))
    source = Source(str(path))
    try:
        accept_text(source, text)
    except Refused:
        raise SpecErrors(source.problems) from None
    loader.sources.append(source)
    loader.take(source, loader.open(source))
    suite = loader.suite()
    if not suite.classes:
        raise SpecErrors([Problem(str(path), 1, 1, "", "not a test class")])
    return suite.classes[0]


@dataclass(frozen=True, slots=True)
class _Opened:
    """A file that is a mapping of a known kind."""

    reader: Reader
    place: Place


@dataclass(slots=True)
class _Loader:
    root: Path
    sources: list[Source] = field(default_factory=list)
    catalog: Catalog = field(default_factory=Catalog)
    classes: list[SpecClass] = field(default_factory=list)
    named: dict[str, str] = field(default_factory=dict)
    """Where each class and each file stem was seen first."""

    def read(self, path: Path) -> Source:
        """Read one file; the source may be without text, and have problems."""
        source = read_source(path, self.shown(path))
        self.sources.append(source)
        return source

    def shown(self, path: Path) -> str:
        """A path as errors show it: relative to the root, if it is below it."""
        absolute = _absolute(path)
        below = absolute.is_relative_to(self.root)
        return (absolute.relative_to(self.root) if below else path).as_posix()

    def refuse(self, path: Path, message: str, hint: str) -> None:
        """Note a problem with a path that is not read at all."""
        source = Source(self.shown(path))
        source.report(0, 0, message, hint=hint)
        self.sources.append(source)

    def open(self, source: Source) -> _Opened | None:
        """Parse a file and find out of which kind it is; None, with problems, if of none."""
        root = parse(source) if source.text and not source.problems else None
        if root is None:
            return None
        reader = Reader(source, root)
        try:
            return _Opened(reader, _place_of(root))
        except Wrong as fault:
            if not source.problems:
                reader.wrong(fault)
            return None

    def take(self, source: Source, opened: _Opened | None) -> None:
        """Take up what a file says."""
        if opened is None:
            return
        try:
            self._understand(source, opened.reader, opened.place)
        except Refused:
            return

    def _understand(self, source: Source, reader: Reader, place: Place) -> None:
        fields = read_fields(reader, reader.root, place)
        if place is g.PROFILES_FILE:
            self.catalog.add_profiles(reader, fields)
        elif place is g.REQUIREMENTS_FILE:
            self.catalog.add_requirements(reader, fields)
        else:
            path = _model_path(source.path)
            made = ClassBuilder(reader, self.catalog, fields).build(path, source.data)
            self._check_names(reader, path, made)
            self.classes += [made] if made else []

    def _check_names(self, reader: Reader, path: PurePosixPath, made: SpecClass | None) -> None:
        if fault := stem_fault(path.stem):
            message = f"the file's name {shown(path.name)} cannot name a module"
            reader.source.report(0, 0, message, hint=fault)
        names = [f"file name {shown(path.stem)}"]
        names += [f"class {shown(made.name)}"] if made else []
        for name in names:
            if name in self.named:
                message = f"the {name} is taken by {self.named[name]}"
                reader.source.report(1, 1, message, hint="choose another one")
            self.named.setdefault(name, reader.source.path)

    def suite(self) -> Suite:
        """What was loaded. Raises `SpecErrors` if anything was wrong."""
        problems = [problem for source in self.sources for problem in source.problems]
        if problems:
            raise SpecErrors(problems)
        requirements = sorted(self.catalog.requirements.values(), key=lambda one: one.key)
        classes = sorted(self.classes, key=lambda one: one.path)
        return Suite(tuple(classes), tuple(requirements))


def _absolute(path: Path) -> Path:
    """The one way to write a path: `..` is resolved, links are not."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - it would keep `..`


def _is_class(opened: _Opened | None) -> bool:
    return opened is not None and opened.place is g.CLASS_FILE


def _place_of(root: Node) -> Place:
    """The kind of a file, by its telling key. Raises `Wrong`."""
    if not isinstance(root, Mapping):
        raise Wrong(root, "a spec file is a mapping", "a spec starts with: spec: 1")
    keys = {head.text: head for head, _ in root.pairs}
    telling = [head for name, head in keys.items() if name in g.FILES]
    if "spec" not in keys:
        raise Wrong(root, "the version of the language is missing", f"add: spec: {g.VERSION}")
    if not telling:
        near = next((head for head in keys.values() if head.text != "spec"), root)
        hint = f"{expected(g.FILES)}, next to 'spec'"
        raise Wrong(near, "a file without 'class', 'profiles' or 'requirements'", hint)
    if len(telling) > 1:
        message = f"{telling[0].text!r} and {telling[1].text!r} in one file"
        raise Wrong(telling[1], message, "write two files")
    return g.FILES[telling[0].text]


def _model_path(shown_path: str) -> PurePosixPath:
    """The path that generated text names: nothing above the root's or the file's own folder."""
    path = PurePosixPath(shown_path)
    if path.is_absolute() or ".." in path.parts:
        return PurePosixPath(*path.parts[-2:])
    return path


def _files(paths: Sequence[Path], loader: _Loader) -> Iterator[Path]:
    """All files that were asked for. What is not one is reported."""
    for path in paths:
        if path.suffix in _ENDINGS:
            yield path
        elif _is_folder(path):
            yield from _walk(path, loader)
        else:
            hint = "name a folder, or a file that ends in .yaml or .yml"
            loader.refuse(path, "there is no such folder or spec file", hint)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _walk(folder: Path, loader: _Loader) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        reason = os.strerror(error.errno or 0).lower()
        loader.refuse(Path(error.filename), f"cannot be read: {reason}", "")

    for parent, folders, files in os.walk(folder, onerror=refuse):
        for name in [*folders, *files]:
            if name.endswith(_ENDINGS) and not name.startswith("."):
                yield Path(parent, name)
        folders[:] = [name for name in folders if not name.startswith((".", "__"))]
