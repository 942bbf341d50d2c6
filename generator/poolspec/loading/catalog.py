"""The catalog of a project, which its files share: profiles, requirements and tables."""

from dataclasses import dataclass, field

from poolspec.errors import shown
from poolspec.loading import files as g
from poolspec.loading import requirement_keys as keys
from poolspec.loading.table_keys import TABLES
from poolspec.loading.tables import TableDefinition, build_table
from poolspec.model import Requirement
from poolspec.spec.fields import Fields, Reader, Word
from poolspec.spec.values import PoolOptions
from poolspec.steps.options import merged
from poolspec.vocabulary import Layer


@dataclass(frozen=True, slots=True)
class Profile:
    """A named set of pool options; with a layer, it is for tests of that layer only."""

    name: str
    layer: Layer | None
    options: PoolOptions


@dataclass(slots=True)
class Catalog:
    """All profiles, requirements and tables that were loaded, and where each stands."""

    profiles: dict[str, Profile] = field(default_factory=dict)
    requirements: dict[str, Requirement] = field(default_factory=dict)
    tables: dict[str, TableDefinition] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    listing: list[str] = field(default_factory=list)
    """The files of requirements."""

    def add_profiles(self, reader: Reader, fields: Fields) -> None:
        """Take up a file of profiles."""
        for word, given in fields.get(g.PROFILES) or ():
            if self._is_new(reader, word, "profile"):
                profile = Profile(word.text, given.get(g.PROFILE_LAYER), merged(given))
                self.profiles[word.text] = profile
        refuse_parameters(reader, fields)

    def add_requirements(self, reader: Reader, fields: Fields) -> None:
        """Take up a file of requirements."""
        self.listing.append(reader.source.path)
        for section, given in fields.get(keys.REQUIREMENTS) or ():
            title = given.get(keys.TITLE) or ""
            title = f"{section.text}. {title}"
            for word, requirement in given.get(keys.KEYS) or ():
                self._add_requirement(reader, section, title, word, requirement)

    def add_tables(self, reader: Reader, fields: Fields) -> None:
        """Take up a file of tables."""
        for word, given in fields.get(TABLES) or ():
            if self._is_new(reader, word, "table"):
                self.tables[word.text] = build_table(reader, word, given)

    def _add_requirement(
        self, reader: Reader, section: Word, title: str, word: Word, given: Fields
    ) -> None:
        key = word.text
        if not key.startswith(section.text):
            message = f"the key {shown(key)} does not belong to section {section.text}"
            reader.problem(word.node, message, f"a key starts with its section: {section.text}01")
        if self._is_new(reader, word, "requirement"):
            subject, text = given.get(keys.SUBJECT) or "", given.get(keys.REQUIRED_TEXT) or ""
            proofs = tuple(proof.text for proof in given.get(keys.PROVEN_BY) or ())
            self.requirements[key] = Requirement(key, title, subject, text, proofs)

    def _is_new(self, reader: Reader, word: Word, noun: str) -> bool:
        name = f"{noun} {shown(word.text)}"
        if name in self.places:
            reader.problem(word.node, f"the {name} exists already", self.places[name])
            return False
        self.places[name] = f"see {reader.source.path}:{word.node.line}"
        return True


def refuse_parameters(reader: Reader, fields: Fields) -> None:
    """Report matrix parameters where no test, and so no matrix, is."""
    for use in fields.uses:
        message = f"the matrix parameter ${use.name} is outside of a test"
        reader.problem(use.node, message, "use it in the 'pool' of the test that has the matrix")
