"""Vendors' words on their way into our rows."""


def storable(text: str) -> str:
    """The text without what a database refuses: NUL, and halves of characters that somebody else's cutting left behind."""
    return text.replace("\x00", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
