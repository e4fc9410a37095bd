"""Who is calling, and whether the token may ask for that at all."""

from .answers import not_authenticated, scope_missing, user_access_denied
from .documents import Document, location
from .state import State, Token

# Root field (or, below a root, a field of that name) -> the scope that an app's token needs for it.
SCOPES = {
    "account": "account:read",
    "assets": "assets:read",
    "me": "me:read",
    "boards": "boards:read",
    "items": "boards:read",
    "items_page_by_column_values": "boards:read",
    "next_items_page": "boards:read",
    "tags": "tags:read",
    "users": "users:read",
    "workspaces": "workspaces:read",
    "platform_api": "account:read",
    "create_or_get_tag": "boards:write",
}
OPEN = frozenset({"complexity", "version", "versions", "__schema", "__type", "__typename"})


def token_of(state: State, header: str) -> Token:
    """The token of an ``Authorization`` header, with or without the word Bearer before it."""
    text = header.strip()
    if text[:7].lower() == "bearer ":
        text = text[7:].strip()
    token = state.tokens.get(text)
    if token is None:
        raise not_authenticated()
    guest_without_app = token.user.kind == "guest" and not token.app_id
    if token.user.status != "ACTIVE" or token.user.kind == "view_only" or guest_without_app:
        raise user_access_denied()
    return token


def check_scopes(token: Token | None, document: Document) -> None:
    if token is None or token.scopes is None:
        return
    for root in document.roots():
        name = root.name.value
        needed = SCOPES.get(name, "boards:write" if document.is_mutation else "boards:read")
        if name not in OPEN and needed not in token.scopes:
            raise scope_missing(name, location(root))
        below = {child.name.value for child in document.fields(root.selection_set)}
        if name == "me" and "account" in below and "account:read" not in token.scopes:
            raise scope_missing("account", location(root))
