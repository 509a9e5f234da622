"""Reads a folder of plain-text books and cuts it into stories.

A book is a UTF-8 text file with one paragraph a line. A story starts at a heading: a short line without closing punctuation,
or any short line after a blank one. Front matter, tables of contents and notes are left out.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from pathlib import Path

HEADING_LIMIT = 80
STORY_MINIMUM = 1200
NOT_A_STORY = re.compile(
    r"^(preface|contents|introduct|to the (friendly )?reader|notes|note\b|preparer|dedicat|selected|transcrib|index)|"
    r"gutenberg|e-?text|copyright|@|millennium",
    re.IGNORECASE,
)
SCHOLARSHIP = re.compile(r"\b(Source|Sources|Parallels|Remarks)\.--")
FOOTNOTE = re.compile(r"^\(\d+\)|\(\d+\)$")


@dataclass(frozen=True)
class Story:
    """One story or chapter: its heading, a line break, then one paragraph a line."""

    book: str
    text: str


def read_stories(folder: Path) -> list[Story]:
    """Returns every story in the folder's .txt files, in a stable order."""
    stories: list[Story] = []
    for path in sorted(folder.glob("*.txt")):
        for section in _sections(path.read_text(encoding="utf-8")):
            text = "\n".join(section)
            if len(text) >= STORY_MINIMUM and not NOT_A_STORY.search(text[:160]) and not SCHOLARSHIP.search(text):
                stories.append(Story(path.stem, text))
    if not stories:
        raise SystemExit(f"no stories found in {folder}: it should hold .txt files with one paragraph a line")
    return stories


def split_stories(stories: list[Story], seed: int, held_out: float = 0.03) -> tuple[list[Story], list[Story]]:
    """Sets whole stories aside until they make up the given share of all characters; returns (train, held out)."""
    order = list(range(len(stories)))
    random.Random(seed).shuffle(order)
    wanted = held_out * sum(len(story.text) for story in stories)
    chosen: set[int] = set()
    size = 0
    for index in order:
        if size >= wanted:
            break
        if size + len(stories[index].text) <= wanted * 1.2:
            chosen.add(index)
            size += len(stories[index].text)
    train = [story for index, story in enumerate(stories) if index not in chosen]
    return train, [stories[index] for index in sorted(chosen)]


def _sections(book: str) -> list[list[str]]:
    sections: list[list[str]] = [[]]
    after_blank = True
    for raw in book.split("\n"):
        line = FOOTNOTE.sub("", raw.replace("_", "")).strip()
        if not line:
            after_blank = True
            continue
        if _is_heading(line, after_blank):
            sections.append([])
        if not _is_shouting(line) or len(line) <= HEADING_LIMIT:
            sections[-1].append(line)
        after_blank = False
    return sections


def _is_heading(line: str, after_blank: bool) -> bool:
    if len(line) > HEADING_LIMIT or line[0] in "\"'(":
        return False
    if after_blank or re.match(r"(chapter\b|\d+\. )", line, re.IGNORECASE):
        return True
    words = [word for word in line.split() if len(word) > 3]
    capital = sum(word[0].isupper() for word in words)
    return line[-1] not in ".,;:!?\"'-)" and len(words) > 0 and capital / len(words) > 0.8


def _is_shouting(line: str) -> bool:
    letters = [char for char in line if char.isalpha()]
    return bool(letters) and sum(char.isupper() for char in letters) / len(letters) > 0.5
