"""Loading whole projects: the files that are found, and references between them."""

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path, PurePosixPath

import pytest

from poolspec.errors import Problem, SpecErrors
from poolspec.expectations.registry import Expectations
from poolspec.load import load_class_text, load_suite, outline
from poolspec.model import Requirement, Suite
from poolspec.sharing import MANY
from poolspec.vocabulary import Layer

PASS = "{purpose: p, validates: v, covers: [], expect: {server: {peak: 1}}}"
PROFILES = "spec: 1\nprofiles:\n  fast: {purpose: p, size: 2, timeout: 1s}\n"
REQUIREMENTS = (
    "spec: 1\nrequirements:\n  A:\n    title: Contract\n    keys:\n"
    "      A06: {subject: Limits, text: It blocks}\n"
    "      A01: {subject: Basics, text: It is full}\n"
)

Write = Callable[[str, str], Path]


def class_text(name: str, test: str = PASS, head: str = "") -> str:
    return f"spec: 1\nclass: {name}\npurpose: p\n{head}tests:\n  one: {test}\n"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return to


def load(root: Path, *names: str) -> Suite:
    return load_suite([root / name for name in names or ("specs",)], root=root)


def said(root: Path, *names: str) -> list[str]:
    return [f"{one.place}: {one.message}" for one in problems(root, *names)]


def problems(root: Path, *names: str) -> tuple[Problem, ...]:
    with pytest.raises(SpecErrors) as caught:
        load(root, *names)
    return caught.value.problems


def test_a_folder_gives_its_specs_in_the_order_of_their_paths(tmp_path: Path, write: Write) -> None:
    write("specs/b.yaml", class_text("B"))
    write("specs/a.yml", class_text("A"))
    write("specs/more/c.yaml", class_text("C"))
    write("specs/.hidden.yaml", "?")
    write("specs/.git/d.yaml", "?")
    write("specs/notes.txt", "?")
    paths = [str(spec.path) for spec in load(tmp_path).classes]
    assert paths == ["specs/a.yml", "specs/b.yaml", "specs/more/c.yaml"]


def test_a_file_named_twice_is_loaded_once(tmp_path: Path, write: Write) -> None:
    write("specs/a.yaml", class_text("A"))
    assert len(load(tmp_path, "specs", "specs/a.yaml", "specs/../specs/a.yaml").classes) == 1


def test_a_file_outside_of_the_root_does_not_tell_where_it_lies(
    tmp_path: Path, write: Write
) -> None:
    path = write("elsewhere/specs/a.yaml", class_text("A"))
    root = tmp_path / "project"
    (spec,) = load_suite([path], root=root).classes
    assert spec.path == PurePosixPath("specs/a.yaml")


def test_all_errors_of_all_files_come_in_one_go(tmp_path: Path, write: Write) -> None:
    write("specs/b.yaml", class_text("b"))
    write("specs/a.yaml", class_text("A", "{}"))
    places = [place.split(": ")[0] for place in said(tmp_path)]
    assert places == ["specs/a.yaml:5:3", *["specs/a.yaml:5:8"] * 3, "specs/b.yaml:2:8"]


def test_a_class_name_is_taken_once(tmp_path: Path, write: Write) -> None:
    write("specs/a.yaml", class_text("A"))
    write("specs/b.yaml", class_text("A"))
    assert said(tmp_path) == ["specs/b.yaml:2:8: the class 'A' is taken by specs/a.yaml"]


def test_a_file_stem_is_taken_once(tmp_path: Path, write: Write) -> None:
    write("specs/a.yaml", class_text("A"))
    write("specs/a.yml", class_text("B"))
    assert said(tmp_path) == ["specs/a.yml:1:1: the file name 'a' is taken by specs/a.yaml"]


@pytest.mark.parametrize("folder", ["specs", "specs/a"])
def test_a_file_that_is_generated_into_the_asyncio_module_of_another_is_refused(
    tmp_path: Path, write: Write, folder: str
) -> None:
    write("specs/x.yaml", class_text("X"))
    write(f"{folder}/x_asyncio.yaml", class_text("Y"))
    files = sorted(["specs/x.yaml", f"{folder}/x_asyncio.yaml"])
    (problem,) = problems(tmp_path)
    message = f"{files[0]} is generated into the same module, test_x_asyncio.py"
    assert (problem.place, problem.message) == (f"{files[1]}:1:1", message)
    assert problem.hint == "rename one of the two files"


def test_a_file_may_have_the_name_of_an_asyncio_module_that_nothing_is_generated_into(
    tmp_path: Path, write: Write
) -> None:
    write("specs/x.yaml", class_text("X", PASS.replace("{", "{concurrency: [threads], ", 1)))
    write("specs/x_asyncio.yaml", class_text("Y"))
    assert [spec.name for spec in load(tmp_path).classes] == ["X", "Y"]


def test_an_ending_in_capitals_is_read(tmp_path: Path, write: Write) -> None:
    write("specs/a.YAML", class_text("A"))
    write("specs/b.Yml", class_text("B"))
    assert [spec.name for spec in load(tmp_path).classes] == ["A", "B"]
    assert load_suite([tmp_path / "specs" / "a.YAML"], root=tmp_path).classes[0].name == "A"


def test_a_linked_folder_is_read_under_the_name_of_the_link(tmp_path: Path, write: Write) -> None:
    write("elsewhere/deep/a.yaml", class_text("A"))
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "shared").symlink_to(tmp_path / "elsewhere")
    (spec,) = load(tmp_path).classes
    assert spec.path == PurePosixPath("specs/shared/deep/a.yaml")


def test_every_folder_is_read_once_however_it_is_linked(tmp_path: Path, write: Write) -> None:
    write("specs/z/a.yaml", class_text("A"))
    write("elsewhere/b.yaml", class_text("B"))
    for name, target in (("a", "specs/z"), ("up", "."), ("one", "elsewhere"), ("two", "elsewhere")):
        (tmp_path / "specs" / name).symlink_to(tmp_path / target)
    paths = [str(spec.path) for spec in load(tmp_path).classes]
    assert paths == ["specs/one/b.yaml", "specs/z/a.yaml"]


def test_a_file_name_must_be_able_to_name_a_module(tmp_path: Path, write: Write) -> None:
    write("specs/my-limits.yaml", class_text("A"))
    message = "the file's name 'my-limits.yaml' cannot name a module"
    assert said(tmp_path) == [f"specs/my-limits.yaml: {message}"]


def test_a_file_name_must_not_be_that_of_the_page_of_all_classes(
    tmp_path: Path, write: Write
) -> None:
    write("specs/index.yaml", class_text("A"))
    assert said(tmp_path) == ["specs/index.yaml: the file's name 'index.yaml' cannot name a module"]


def test_a_path_must_be_able_to_stand_in_a_header(tmp_path: Path, write: Write) -> None:
    write("späcs/a.yaml", class_text("A"))
    message = "the path 'sp\\xe4cs/a.yaml' has characters that a header cannot show"
    assert said(tmp_path, "späcs") == [f"späcs/a.yaml: {message}"]


def test_many_files_give_the_results_of_a_few(tmp_path: Path, write: Write) -> None:
    write("specs/profiles.yaml", PROFILES)
    for number in range(MANY):
        write(f"specs/a{number:03}.yaml", class_text(f"A{number}", head="profile: fast\n"))
    suite = load(tmp_path)
    assert [spec.name for spec in suite.classes] == [f"A{number}" for number in range(MANY)]
    few = load(tmp_path, "specs/profiles.yaml", "specs/a007.yaml")
    assert suite.classes[7] == few.classes[0]


def test_wrong_files_among_many_are_reported_together(tmp_path: Path, write: Write) -> None:
    for number in range(MANY):
        write(f"specs/a{number:03}.yaml", class_text(f"A{number}"))
    write("specs/a001.yaml", class_text("wrong"))
    write("specs/a050.yaml", class_text("A20"))
    assert said(tmp_path) == [
        "specs/a001.yaml:2:8: 'wrong' cannot be a class's name",
        "specs/a050.yaml:2:8: the class 'A20' is taken by specs/a020.yaml",
    ]


def test_a_class_file_that_speaks_of_profiles_is_a_class_file(tmp_path: Path, write: Write) -> None:
    write("specs/a.yaml", "# uses the profiles\n" + class_text("a"))
    write("specs/b.yaml", "# uses the profiles\n" + class_text("B"))
    assert [place.split(": ")[0] for place in said(tmp_path)] == ["specs/a.yaml:3:8"]
    assert [spec.name for spec in load(tmp_path, "specs/b.yaml").classes] == ["B"]


def test_the_key_that_decides_a_files_kind_is_written_plainly(tmp_path: Path, write: Write) -> None:
    write("specs/p.yaml", PROFILES.replace("profiles", '"\\x70rofiles"'))
    message = "the key that decides the file's kind is not plain"
    assert said(tmp_path) == [f"specs/p.yaml:1:1: {message}"]


def test_an_outline_has_the_tests_without_their_steps(tmp_path: Path, write: Write) -> None:
    write("specs/a.yaml", class_text("A"))
    (whole,) = load(tmp_path).classes
    (test,) = outline(whole).tests
    assert (test.name, test.steps, test.expect) == ("one", (), Expectations())


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    message = "cannot be read: no such file or directory"
    assert said(tmp_path, "limits.yaml") == [f"limits.yaml: {message}"]


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    assert said(tmp_path) == ["specs: there is no such folder or spec file"]


def test_a_folder_named_as_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "specs" / "x.yaml").mkdir(parents=True)
    expected = ["specs/x.yaml: is a directory, not a file"]
    assert said(tmp_path) == expected
    assert said(tmp_path, "specs/x.yaml") == expected


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    assert said(tmp_path, "pipe.yaml") == ["pipe.yaml: is not a regular file"]


def test_a_link_to_nothing_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "link.yaml").symlink_to("nothing.yaml")
    assert len(said(tmp_path, "link.yaml")) == 1


def test_a_link_to_itself_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "link.yaml").symlink_to("link.yaml")
    assert len(said(tmp_path, "link.yaml")) == 1


def test_a_file_name_of_odd_bytes_is_an_error_that_can_be_shown(tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    path = os.fsencode(tmp_path / "specs") + b"/\xff\x1b.yaml"
    with open(path, "wb") as file:  # noqa: PTH123 - a name that no str can hold
        file.write(class_text("A").encode())
    (problem,) = problems(tmp_path)
    assert str(problem).encode().startswith("specs/��.yaml: ".encode())


def test_a_file_of_50_mb_is_refused_by_its_size(tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    with path.open("wb") as file:
        file.truncate(50_000_000)
    message = "the file is too large: 50,000,000 bytes, at most 1,000,000 are read"
    assert said(tmp_path, "big.yaml") == [f"big.yaml: {message}"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_an_error(tmp_path: Path, write: Write) -> None:
    write("specs/a.yaml", class_text("A")).chmod(0)
    assert said(tmp_path) == ["specs/a.yaml: cannot be read: permission denied"]


def test_bytes_that_are_not_utf_8_are_shown_by_line_and_offset(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"spec: 1\nclass: \xff\n")
    message = "not UTF-8: byte 0xff at offset 15"
    assert said(tmp_path, "a.yaml") == [f"a.yaml:2:8: {message}"]


def test_the_offset_counts_the_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbf\xfe")
    assert said(tmp_path, "a.yaml") == ["a.yaml:1:1: not UTF-8: byte 0xfe at offset 3"]


# --- profiles ------------------------------------------------------------------------------------


def test_a_test_overrides_its_class_and_both_override_the_profile(
    tmp_path: Path, write: Write
) -> None:
    write("specs/zz.yaml", PROFILES)
    test = PASS.replace("{purpose", "{pool: {size: 9}, purpose", 1)
    head = "profile: fast\npool: {max_overflow: 1, size: 5}\n"
    write("specs/a.yaml", class_text("A", test, head))
    (spec,) = load(tmp_path).classes
    assert spec.tests[0].pool == (("size", 9), ("max_overflow", 1), ("timeout", 1.0))


def test_the_profile_of_a_test_replaces_that_of_its_class(tmp_path: Path, write: Write) -> None:
    write("specs/p.yaml", PROFILES + "  slow: {purpose: p, recycle: 1h}\n")
    test = PASS.replace("{purpose", "{profile: slow, purpose", 1)
    write("specs/a.yaml", class_text("A", test, "profile: fast\n"))
    assert load(tmp_path).classes[0].tests[0].pool == (("recycle", 3600.0),)


def test_an_unknown_profile_is_reported_once_with_the_nearest(tmp_path: Path, write: Write) -> None:
    write("specs/p.yaml", PROFILES)
    write("specs/a.yaml", class_text("A", f"{PASS}\n  two: {PASS}", "profile: fats\n"))
    (problem,) = problems(tmp_path)
    assert (problem.line, problem.column) == (4, 10)
    assert problem.message == "unknown profile 'fats'"
    assert problem.hint == "did you mean 'fast'? expected one of: fast"


def test_a_profile_with_a_layer_is_for_that_layer(tmp_path: Path, write: Write) -> None:
    write("specs/p.yaml", "spec: 1\nprofiles:\n  hard: {purpose: p, layer: chaos, size: 2}\n")
    write("specs/a.yaml", class_text("A", head="layer: chaos\nprofile: hard\n"))
    assert load(tmp_path).classes[0].tests[0].pool == (("size", 2),)
    write("specs/a.yaml", class_text("A", head="profile: hard\n"))
    assert said(tmp_path) == ["specs/a.yaml:4:10: the profile 'hard' is for the layer chaos"]


def test_a_profile_is_defined_once(tmp_path: Path, write: Write) -> None:
    write("specs/p.yaml", PROFILES)
    write("specs/q.yaml", PROFILES)
    (problem,) = problems(tmp_path)
    assert problem.message == "the profile 'fast' exists already"
    assert problem.hint == "see specs/p.yaml:3"


def test_a_profile_has_no_matrix_parameters(tmp_path: Path, write: Write) -> None:
    write("specs/p.yaml", "spec: 1\nprofiles:\n  fast: {purpose: p, size: $n}\n")
    message = "the matrix parameter $n is outside of a test"
    assert said(tmp_path) == [f"specs/p.yaml:3:28: {message}"]


def test_the_hash_is_that_of_the_file(tmp_path: Path, write: Write) -> None:
    write("specs/p.yaml", PROFILES)
    write("specs/a.yaml", class_text("A", head="profile: fast\n"))
    (spec,) = load(tmp_path).classes
    assert spec.sha256 == sha256((tmp_path / "specs/a.yaml").read_bytes()).hexdigest()


# --- requirements --------------------------------------------------------------------------------


def test_requirements_come_in_the_order_of_their_keys(tmp_path: Path, write: Write) -> None:
    write("specs/r.yaml", REQUIREMENTS)
    assert load(tmp_path).requirements == (
        Requirement("A01", "A. Contract", "Basics", "It is full"),
        Requirement("A06", "A. Contract", "Limits", "It blocks"),
    )


def test_an_unknown_key_in_covers_is_an_error_with_the_nearest(
    tmp_path: Path, write: Write
) -> None:
    write("specs/r.yaml", REQUIREMENTS)
    write("specs/a.yaml", class_text("A", PASS.replace("[]", "[A06, A60]")))
    (problem,) = problems(tmp_path)
    assert (problem.line, problem.column) == (5, 49)
    assert (problem.message, problem.hint) == ("unknown requirement 'A60'", "did you mean 'A06'?")


def test_the_files_that_list_the_requirements_are_named(tmp_path: Path, write: Write) -> None:
    write("specs/r.yaml", REQUIREMENTS)
    write("specs/a.yaml", class_text("A", PASS.replace("[]", "[Z99]")))
    (problem,) = problems(tmp_path)
    assert problem.hint == "the keys are listed in specs/r.yaml"


def test_one_key_is_a_list_of_one(tmp_path: Path, write: Write) -> None:
    write("specs/a.yaml", class_text("A", PASS.replace("[]", "A06")))
    (problem,) = problems(tmp_path)
    assert problem.hint == "write [A06]"


def test_without_requirements_every_well_formed_key_is_taken(tmp_path: Path, write: Write) -> None:
    write("specs/a.yaml", class_text("A", PASS.replace("[]", "[A60, Z999]")))
    assert load(tmp_path).classes[0].tests[0].covers == ("A60", "Z999")


def test_a_requirement_names_the_hand_written_tests_that_prove_it(
    tmp_path: Path, write: Write
) -> None:
    proof = "tests/test_a.py::test_one"
    write("specs/r.yaml", REQUIREMENTS.replace("It blocks", f"It blocks, proven_by: [{proof}]"))
    assert [item.proven_by for item in load(tmp_path).requirements] == [(), (proof,)]


@pytest.mark.parametrize(
    "proof", ["tests", "a.py", "../a.py::test_a", "/a.py::test_a", "a.py::b c", "a.py::x|y", "[]"]
)
def test_a_proof_that_is_no_pytest_test_is_refused(
    tmp_path: Path, write: Write, proof: str
) -> None:
    given = f"It blocks, proven_by: ['{proof}']"
    write("specs/r.yaml", REQUIREMENTS.replace("It blocks", given))
    (problem,) = problems(tmp_path)
    assert problem.message == f"'{proof}' cannot be a pytest test"
    assert problem.hint.startswith("write its file below the project and its name: tests/")


def test_a_key_belongs_to_its_section(tmp_path: Path, write: Write) -> None:
    write("specs/r.yaml", REQUIREMENTS.replace("A06", "B06"))
    message = "the key 'B06' does not belong to section A"
    assert said(tmp_path) == [f"specs/r.yaml:6:7: {message}"]


def test_a_requirement_is_defined_once(tmp_path: Path, write: Write) -> None:
    write("specs/r.yaml", REQUIREMENTS)
    write("specs/s.yaml", REQUIREMENTS)
    assert [problem.line for problem in problems(tmp_path)] == [6, 7]


def test_a_file_of_profiles_is_no_class() -> None:
    with pytest.raises(SpecErrors, match="not a test class"):
        load_class_text(PROFILES.encode(), PurePosixPath("p.yaml"))


PROJECT = Path(__file__).parents[2]


def test_the_specs_of_this_project_load() -> None:
    suite = load_suite([PROJECT / "specs"], root=PROJECT)
    assert len(suite.requirements) == 108
    assert all(spec.tests for spec in suite.classes)


@pytest.mark.parametrize("layer", Layer)
def test_the_profile_of_a_layer_is_used_by_its_tests(layer: Layer) -> None:
    heads = [path.read_text(encoding="utf-8") for path in (PROJECT / "specs").glob("*.yaml")]
    profile = next(head for head in heads if "\nprofiles:\n" in head)
    assert f"\n  {layer}:\n" in profile
    assert f"\n    layer: {layer}\n" in profile
    assert any(f"\nprofile: {layer}\n" in head for head in heads)
