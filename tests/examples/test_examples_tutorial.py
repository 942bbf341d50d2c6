"""The tutorial is true: its commands say what it shows. Links of all pages lead somewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
GUIDES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
RUN = re.compile(r"^```sh\n(.*?)^```\n\n```text\n(.*?)^```", re.DOTALL | re.MULTILINE)


def shell(folder: Path, script: str) -> str:
    """Give a block of commands, as a user does in the environment that he has activated."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    return done.stdout


def test_the_tutorial_shows_what_its_commands_say(tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    spec = next(text for kind, text in BLOCK.findall(PAGE) if kind == "yaml")
    (tmp_path / "specs" / "first.yaml").write_text(spec, encoding="utf-8")
    for script, shown in RUN.findall(PAGE):
        said = shell(tmp_path, script)
        missing = [line for line in shown.splitlines() if line not in said]
        assert not missing, f"{script}\n{said}"
    assert len(RUN.findall(PAGE)) == len([kind for kind, _ in BLOCK.findall(PAGE) if kind == "sh"])


def anchors(page: Path) -> set[str]:
    """Return what the headings of a page are called in links to them."""
    headings = HEADING.findall(BLOCK.sub("", page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    links = LINK.findall(BLOCK.sub("", page.read_text(encoding="utf-8")))
    wrong = []
    for target, anchor in links:
        found = (page.parent / target).resolve() if target else page
        if not found.exists() or (anchor and anchor not in anchors(found)):
            wrong.append(f"{target}#{anchor}")
    assert wrong == []


@pytest.mark.parametrize("page", GUIDES[1:], ids=lambda page: page.name)
def test_every_page_is_in_the_index(page: Path) -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    assert page.name == "README.md" or f"]({page.name})" in index
