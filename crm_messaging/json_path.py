"""Finding a value in what a gateway sends, by a path of names and places: `messages.0.id`."""

from crm_store.storable import storable


def at_path(node: object, path: str) -> object:
    """The value at `path`; `None` where there is none."""
    for name in path.split("."):
        if isinstance(node, dict):
            node = node.get(name)
        elif isinstance(node, list) and name.isdecimal() and int(name) < len(node):
            node = node[int(name)]
        else:
            return None
    return node


def text_at(node: object, path: str | None) -> str | None:
    """The text or number at `path`, as a storable text; `None` for anything else, or no path."""
    found = at_path(node, path) if path else None
    is_text = isinstance(found, str | int) and not isinstance(found, bool)
    return storable(str(found)) if is_text else None
