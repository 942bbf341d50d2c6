"""Spec files → the model, or all errors of all files at once.

Files are read in two rounds: first those that may hold profiles, requirements or tables, then the
classes that refer to them. So the order in which files are given does not matter. Many classes are
read by several processes; the caller passes a function that works on them in the process that read
them. Last, the files are compared with each other.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Generic, TypeVar

from poolspec.errors import Problem, SpecErrors, shown
from poolspec.expectations.registry import Expectations
from poolspec.loading import files as g
from poolspec.loading.catalog import Catalog
from poolspec.loading.classes import ClassBuilder
from poolspec.loading.finding import absolute, find_files, model_path
from poolspec.loading.tables import check_references
from poolspec.loading.twins import refuse_same_modules, refuse_twins
from poolspec.model import Requirement, SpecClass, Suite
from poolspec.sharing import Progress, in_batches
from poolspec.spec.fields import Place, Reader, Wrong, read_fields
from poolspec.spec.names import PATH, stem_fault
from poolspec.spec.source import Refused, Source, accept_text, read_source
from poolspec.spec.tree import parse

R = TypeVar("R")

_NOTHING = Expectations()
_SHARED = (b"profiles", b"requirements", b"tables")
"""A file without these words is a class, or nothing at all."""


@dataclass(frozen=True, slots=True)
class Loaded(Generic[R]):
    """The results of processing a project's classes, in the order of their paths."""

    made: tuple[R, ...]
    requirements: tuple[Requirement, ...]
    """In the order of their keys."""


def load_each(
    paths: Sequence[Path],
    work: Callable[[Sequence[SpecClass]], Sequence[R]],
    *,
    root: Path,
    progress: Progress = lambda _: None,
) -> Loaded[R]:
    """Load spec files, and all `*.yaml` and `*.yml` in and below folders, hidden ones excepted.

    `work` is given classes where they were loaded, which may be another process (see `sharing`),
    and makes something of each. Paths in errors and in the model are relative to `root`. Raises
    `SpecErrors` with every problem of every file.
    """
    loader = _Loader(root.absolute())
    for path in find_files(paths, loader.refuse):
        loader.read(path)
    return loader.load(work, progress)


def load_suite(paths: Sequence[Path], *, root: Path) -> Suite:
    """Load whole classes, as `load_each` does."""
    loaded = load_each(paths, _as_they_are, root=root)
    return Suite(loaded.made, loaded.requirements)


def load_class_text(text: bytes, path: PurePosixPath) -> SpecClass:
    """Load one test class that uses no profiles. Raises `SpecErrors`."""
    loader = _Loader(Path("/"))
    source = Source(str(path))
    try:
        accept_text(source, text)
    except Refused:
        raise SpecErrors(source.problems) from None
    loader.sources.append(source)
    loaded = loader.load(_as_they_are)
    if not loaded.made:
        raise SpecErrors([Problem(str(path), 1, 1, "", "not a test class")])
    return loaded.made[0]


def outline(spec: SpecClass) -> SpecClass:
    """Return a class without the steps of its tests: enough to list them, and quick to pickle."""
    bare = (
        replace(test, pool=(), tables=(), matrix=None, steps=(), expect=_NOTHING)
        for test in spec.tests
    )
    return replace(spec, tests=tuple(bare))


@dataclass(frozen=True, slots=True)
class _Opened:
    """A file that is a mapping of a known kind."""

    reader: Reader
    place: Place


@dataclass(frozen=True, slots=True)
class _Batch(Generic[R]):
    """The outcome of some class files: the name, modules and problems of each; `work`'s results."""

    names: list[str]
    modules: list[list[str]]
    problems: list[list[Problem]]
    made: Sequence[R]


@dataclass(slots=True)
class _Loader:
    root: Path
    sources: list[Source] = field(default_factory=list)
    catalog: Catalog = field(default_factory=Catalog)
    opened: dict[str, _Opened] = field(default_factory=dict)
    """Class files that had to be opened to see that they are nothing else."""

    def load(
        self,
        work: Callable[[Sequence[SpecClass]], Sequence[R]],
        progress: Progress = lambda _: None,
    ) -> Loaded[R]:
        """Understand all files. Raises `SpecErrors` if anything is wrong with any of them."""
        files = sorted(self._class_files(), key=lambda source: model_path(source.path))
        batches = in_batches(lambda part: self._batch(part, work), files, progress)
        said = [pair for one in batches for pair in zip(one.names, one.problems, strict=True)]
        for source, (_, problems) in zip(files, said, strict=True):
            source.problems = problems
        refuse_twins(files, [name for name, _ in said])
        refuse_same_modules(files, [one for batch in batches for one in batch.modules])
        if found := [problem for source in self.sources for problem in source.problems]:
            raise SpecErrors(found)
        requirements = sorted(self.catalog.requirements.values(), key=lambda one: one.key)
        return Loaded(tuple(one for batch in batches for one in batch.made), tuple(requirements))

    def _class_files(self) -> list[Source]:
        """Read the files that are no classes into the catalog, and return the others."""
        others = []
        for source in self.sources:
            opened = self._open(source) if _may_be_shared(source) else None
            if opened is not None and opened.place is not g.CLASS_FILE:
                self._take(source, opened)
                continue
            if opened is not None:
                self.opened[source.path] = opened
            if opened is not None or not source.problems:
                others.append(source)
        with suppress(Refused):
            check_references(self.catalog.tables)
        return others

    def _batch(
        self, files: Sequence[Source], work: Callable[[Sequence[SpecClass]], Sequence[R]]
    ) -> _Batch[R]:
        classes = [self._class(source) for source in files]
        problems = [source.problems for source in files]
        valid = [] if any(problems) else [made for made in classes if made]
        names = [made.name if made else "" for made in classes]
        modules = [
            [made.module(concurrency) for concurrency in made.concurrency] if made else []
            for made in classes
        ]
        return _Batch(names, modules, problems, work(valid) if valid else ())

    def read(self, path: Path) -> None:
        """Read one file; its source may be without text, and have problems."""
        self.sources.append(read_source(path, self.shown(path)))

    def shown(self, path: Path) -> str:
        """A path as errors show it: relative to the root, if it is below it."""
        whole = absolute(path)
        below = whole.is_relative_to(self.root)
        return (whole.relative_to(self.root) if below else path).as_posix()

    def refuse(self, path: Path, message: str, hint: str) -> None:
        """Note a problem with a path that is not read at all."""
        source = Source(self.shown(path))
        source.report(0, 0, message, hint=hint)
        self.sources.append(source)

    def _open(self, source: Source) -> _Opened | None:
        """Parse a file and find out of which kind it is; None, with problems, if of none."""
        root = parse(source) if source.text and not source.problems else None
        if root is None:
            return None
        reader = Reader(source, root)
        try:
            return _Opened(reader, g.place_of(root))
        except Wrong as fault:
            if not source.problems:
                reader.wrong(fault)
            return None

    def _take(self, source: Source, opened: _Opened) -> None:
        """Read a file that is no class into the catalog."""
        try:
            fields = read_fields(opened.reader, opened.reader.root, opened.place)
            if opened.place is g.PROFILES_FILE:
                self.catalog.add_profiles(opened.reader, fields)
            elif opened.place is g.TABLES_FILE:
                self.catalog.add_tables(opened.reader, fields)
            else:
                self.catalog.add_requirements(opened.reader, fields)
        except Refused:
            return

    def _class(self, source: Source) -> SpecClass | None:
        """The class that a file describes; None, with problems, if it is not one."""
        opened = self.opened.get(source.path) or self._open(source)
        try:
            return self._understand(source, opened) if opened else None
        except Refused:
            return None

    def _understand(self, source: Source, opened: _Opened) -> SpecClass | None:
        if opened.place is not g.CLASS_FILE:
            hint = "write 'profiles', 'requirements' or 'tables' without escapes"
            raise source.refuse(1, 1, "the key that decides the file's kind is not plain", hint)
        path = model_path(source.path)
        if fault := stem_fault(path.stem):
            message = f"the file's name {shown(path.name)} cannot name a module"
            source.report(0, 0, message, hint=fault)
        elif not PATH.fullmatch(str(path)):
            message = f"the path {str(path)!a} has characters that a header cannot show"
            source.report(0, 0, message, hint="rename the folder")
        fields = read_fields(opened.reader, opened.reader.root, opened.place)
        return ClassBuilder(opened.reader, self.catalog, fields).build(path, source.data)


def _as_they_are(classes: Sequence[SpecClass]) -> Sequence[SpecClass]:
    return classes


def _may_be_shared(source: Source) -> bool:
    return any(word in source.data for word in _SHARED)
