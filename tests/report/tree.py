"""A page as a tree, read strictly: an element that is not closed is an error."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"br", "hr", "input", "link", "meta"}


@dataclass
class Node:
    """One element with its attributes and its children; a text is a `str`."""

    name: str
    attributes: dict[str, str | None] = field(default_factory=dict)
    children: list["Node | str"] = field(default_factory=list)

    def __getitem__(self, attribute: str) -> str | None:
        return self.attributes[attribute]

    def all(self, name: str | None = None, **attributes: str) -> Iterator["Node"]:
        """Yield every element below with this name, and with these words in these attributes."""
        for child in self.children:
            if isinstance(child, Node):
                if child.name == (name or child.name) and child.has(attributes):
                    yield child
                yield from child.all(name, **attributes)

    def one(self, name: str | None = None, **attributes: str) -> "Node":
        (found,) = self.all(name, **attributes)
        return found

    def has(self, attributes: dict[str, str]) -> bool:
        own = {name.rstrip("_").replace("_", "-"): word for name, word in attributes.items()}
        return all(word in (self.attributes.get(name) or "").split(" ") for name, word in own.items())

    @property
    def text(self) -> str:
        """The text of it, with spaces as a reader sees them."""
        return " ".join(self.raw.split())

    @property
    def raw(self) -> str:
        return "".join(child if isinstance(child, str) else child.raw for child in self.children)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Node("")]

    def handle_starttag(self, tag, attrs):
        node = Node(tag, dict(attrs))
        self.open[-1].children.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_endtag(self, tag):
        assert self.open.pop().name == tag, f"</{tag}> closes something else"

    def handle_data(self, data):
        self.open[-1].children.append(data)


def read(page: str) -> Node:
    """Return the page's tree."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    (root,) = reader.open
    return root
