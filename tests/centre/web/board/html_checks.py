"""What holds of every page: well-formed, nothing inline that the content security policy forbids, usable by ear."""

from html.parser import HTMLParser
from itertools import pairwise

__all__ = ["Page", "check_page", "page_of"]

_VOID = {"meta", "link", "input", "br", "img", "hr", "path", "circle", "rect"}
_SELF_CLOSED_SVG = {"path", "circle", "rect"}


class Page(HTMLParser):
    """A parsed page: its elements with their attributes, and what is wrong with it."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.problems: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[tuple[str, ...], str]] = []
        self.places: list[tuple[str, ...]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        if self._open:
            self.problems.append(f"not closed: {self._open}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(set(names)) != len(names):
            self.problems.append(f"an attribute twice: {tag} {names}")
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self.places.append((*self._open, tag))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1] != tag:
            self.problems.append(f"</{tag}> closes {self._open[-3:]}")
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((tuple(self._open), data))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self) -> str:
        """The visible text, with single blanks."""
        return " ".join(" ".join(data for _, data in self.texts).split())

    def links(self) -> list[str]:
        return [link["href"] for link in self.all("a")]


def page_of(text: str) -> Page:
    """Parse a page, and check it."""
    page = Page(text)
    check_page(page)
    return page


def check_page(page: Page) -> None:
    """Raise AssertionError for whatever is wrong with a page."""
    assert not page.problems, page.problems
    assert page.elements[0][0] == "html"
    assert page.elements[0][1]["lang"] == "en"
    _check_policy(page)
    _check_structure(page)
    _check_names(page)


def _check_policy(page: Page) -> None:
    for tag, attributes in page.elements:
        inline = [name for name in attributes if name == "style" or name.startswith("on")]
        assert not inline, (tag, inline)
        assert tag != "style"
        assert tag != "script" or attributes["src"].startswith("/static/"), attributes
        for name in ("href", "src", "action"):
            address = attributes.get(name, "/")
            assert address.startswith(("/", "#", "?")), address
            assert not address.startswith("//"), address
        for value in attributes.values():
            assert "javascript:" not in value.lower()
    assert not [data for place, data in page.texts if "script" in place and data]


def _check_structure(page: Page) -> None:
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids)), ids
    assert len(page.all("main")) == 1
    assert len(page.all("title")) == 1
    levels = [int(tag[1]) for tag, _ in page.elements if tag in ("h1", "h2", "h3", "h4")]
    assert levels.count(1) == 1, levels
    assert levels[0] == 1, levels
    assert all(after <= before + 1 for before, after in pairwise(levels)), levels
    for tag, attributes in page.elements:
        for name in ("aria-labelledby", "aria-describedby", "for"):
            assert name not in attributes or attributes[name] in ids, (tag, attributes)
    for heading in page.all("th"):
        assert heading.get("scope") in ("col", "row"), heading


def _check_names(page: Page) -> None:
    """Everything that is used or read out has a name."""
    labelled = {label["for"] for label in page.all("label") if "for" in label}
    for place, (tag, attributes) in zip(page.places, page.elements, strict=True):
        if tag in ("input", "select") and attributes.get("type") != "hidden":
            assert "label" in place or attributes.get("id") in labelled or "aria-label" in attributes, attributes
    for image in page.all("img"):
        assert "alt" in image
    for drawing in page.all("svg"):
        assert drawing.get("aria-hidden") == "true" or drawing.get("aria-label"), drawing
    for bar in page.all("progress"):
        assert bar["aria-label"]
