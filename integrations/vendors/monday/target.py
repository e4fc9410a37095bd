"""Put these on a board, once each.

The three layers against doubles, and what is done when an answer is lost: README.md beside this file, "Writing once".
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Final

from integrations.errors import RateLimited
from integrations.types import Batch, Done, Login, NotWritten, Refused, Result, Schema, Sent, Standing, Write
from integrations.vendors.monday import batching, keys, standings, subitems
from integrations.vendors.monday.batching import Told
from integrations.vendors.monday.boards import Board, read_board, split_place
from integrations.vendors.monday.bulk import BulkLoads
from integrations.vendors.monday.client import PAGE_OF_BOARDS, MondayClient
from integrations.vendors.monday.errors import TooHeavy
from integrations.vendors.monday.forms import clean_filename
from integrations.vendors.monday.outcomes import Outcomes, insist_on_answers
from integrations.vendors.monday.own_columns import add_own_columns
from integrations.vendors.monday.preparing import find_out
from mappings.fields import Values

REPEATABLE_FOR: Final = timedelta(minutes=25)  # the vendor remembers a key's answer for 30 minutes
LOOK_UP_LAG: Final = timedelta(seconds=60)  # a new item is found by its key after some 30 s


class MondayTarget:
    """Items of one board. ``place`` is a board's id, or "board id/group id" where new items go to a group."""

    def __init__(self, login: Login, place: str, *, pause: Callable[[float], None] = time.sleep) -> None:
        self._login, self._place = login, place
        self._client = MondayClient(login)
        self._bulk = BulkLoads(login, self._client, pause)
        self._boards: dict[str, Board] = {}

    # -- the place ---------------------------------------------------------------------------------------------------------

    def schema(self) -> Schema:
        return self._read(self._place).schema

    def prepare(self, schema: Schema) -> None:
        board = self._known(schema.place)
        if board.id and board.missing:
            self._boards[board.key] = add_own_columns(self._login, self._client, board)

    def create_board(self, name: str, *, kind: str = "private") -> str:
        """The id of a new, empty board. Raises RateLimited after 40 in a minute."""
        return self._client.create_board(name, kind)

    def places(self) -> Sequence[tuple[str, str]]:
        """Classic, active boards that this user may edit."""
        found: list[Mapping[str, Any]] = []
        page, more = 1, True
        while more:
            boards = self._client.boards(page)
            found += boards
            page, more = page + 1, len(boards) == PAGE_OF_BOARDS
        usable = [each for each in found if each.get("access_level") != "view" and each.get("type") in (None, "board")]
        return [(str(each["id"]), str(each.get("name") or each["id"])) for each in usable]

    def _read(self, place: str) -> Board:
        above = subitems.parent_of(place)
        board = subitems.read_subitems(self._client, place) if above else self._read_board(place)
        self._boards[board.key] = board
        return board

    def _read_board(self, place: str) -> Board:
        return read_board(place, self._client.board(split_place(place)[0]))

    def _known(self, place: str) -> Board:
        return self._boards.get(split_place(place)[0]) or self._read(place)

    def _ready(self, place: str) -> Board:
        """The board with our two columns on it; read and prepared when nobody did so before."""
        board = self._known(place)
        if board.missing:
            self.prepare(board.schema)
        return self._boards[board.key]

    # -- writing -----------------------------------------------------------------------------------------------------------

    def batches(self, writes: Sequence[Write]) -> Iterator[Batch]:
        """Batches of one board each, cut to the size that is right when the next one is asked for; many creates go by file.

        A write with a value that its column cannot hold is in the batch but not in its body: ``write`` refuses it without a call.
        """
        for of_board in batching.by_board(writes, self._place):
            place = self._place_of(of_board)
            if openers := self._bulk.openers(of_board, self._ready(place)):
                yield from self._cut(openers)
                self._read(place)  # with the labels that they made
            rest = [each for each in of_board if each not in openers]
            yield from self._bulk.batches(rest, self._ready(place), self._place)
            yield from self._cut(rest)

    def _cut(self, writes: Sequence[Write]) -> Iterator[Batch]:
        while writes:
            place = self._place_of(writes)
            board, now = self._ready(place), self._login.now()
            size = self._client.pace.size(now) if board.id else 1  # the first subitem makes its board
            going, writes = writes[:size], writes[size:]
            found = find_out(self._client, board, going, self._place, self._known)
            yield Batch(writes=tuple(going), body=batching.body_of(going, board, self._place, now, found))

    def write(self, batch: Batch, *, key: str) -> Sequence[Result]:
        """Send a batch; see ``Target.write``. A partly throttled batch tells what was done, and that the rest was not."""
        place = self._place_of(batch.writes)
        if batch.bulk:
            return self._bulk.carry_out(batch, self._ready(place))
        told = self._send(batch, key)
        insist_on_answers(told)
        self._sign(batch, told)
        outcomes = Outcomes(batch=batch, told=told, client=self._client, board=partial(self._known, place), unsent=self._refuse)
        return outcomes.results(may_raise=True)

    def resolve(self, sent: Sent) -> Sequence[Result]:
        """While the vendor remembers the key: the same call again. Later, or with other credentials: look for the items' keys."""
        place = self._place_of(sent.batch.writes)
        if sent.batch.bulk:
            return self._bulk.resolve(sent, self._ready(place))
        told: Mapping[int, Told] = {}
        if sent.same_login and sent.age < REPEATABLE_FOR:
            told = self._send(sent.batch, sent.key, is_repeat=True)
        told = self._look_up(sent, told)
        self._sign(sent.batch, told)
        board = partial(self._known, place)
        outcomes = Outcomes(batch=sent.batch, told=told, client=self._client, board=board, unsent=_not_written)
        return outcomes.results(may_raise=False)

    def _send(self, batch: Batch, key: str, *, is_repeat: bool = False) -> Mapping[int, Told]:
        """What the answer tells of each write; a too heavy document was not carried out, and later batches are smaller."""
        if not (n_writes := len(batching.sent_values(batch))):
            return {}
        board, _group = split_place(self._place_of(batch.writes))
        try:
            reply = self._client.write_items(board, batch.body, key=key, n_writes=n_writes)
        except TooHeavy:
            if not self._client.pace.halve(n_writes):
                raise
            return {}
        told = batching.tell(batch, reply, self._login.now())
        return self._without_doubles(batch, told) if is_repeat and not reply.was_replayed else told

    def _without_doubles(self, batch: Batch, told: Mapping[int, Told]) -> Mapping[int, Told]:
        """The vendor may forget an answer before its time and act again: where an older item has the key, that one counts."""
        made = {batch.writes[n].key: (n, each.done) for n, each in told.items() if each.done and batch.writes[n].creates}
        found = keys.find(self._client, self._known(self._place_of(batch.writes)), list(made)) if made else {}
        better = dict(told)
        for key, ids in found.items():
            n, done = made[key]
            better[n] = self._adopt(batch.writes[n], keys.oldest_first([*ids, done.target_id]))
        return better

    def _look_up(self, sent: Sent, told: Mapping[int, Told]) -> Mapping[int, Told]:
        """What no answer told: creates are looked for by their keys; an update that is done twice does no harm."""
        writes = sent.batch.writes
        is_open = [n for n in batching.sent_values(sent.batch) if n not in told or told[n].is_open]
        wanted = {writes[n].key: n for n in is_open if writes[n].creates}
        found = keys.find(self._client, self._known(self._place_of(writes)), list(wanted)) if wanted else {}
        found |= self._unsigned(sent.batch, [n for key, n in wanted.items() if key not in found])
        if len(found) < len(wanted) and sent.age < LOOK_UP_LAG:
            raise RateLimited(
                "Monday.com finds new items after a minute only. We look again by ourselves.",
                retry_after=LOOK_UP_LAG - sent.age, vendor="monday", operation="ByKey",
            )  # fmt: skip
        known = {n: each for n, each in told.items() if not each.is_open}
        return known | {wanted[key]: self._adopt(writes[wanted[key]], ids) for key, ids in found.items()}

    def _unsigned(self, batch: Batch, positions: Sequence[int]) -> dict[str, list[str]]:
        """The first subitem of a board, which no key tells: by its parent and its name."""
        found: dict[str, list[str]] = {}
        for n in positions:
            write, values = batch.writes[n], batching.sent_values(batch)[n]
            if write.parent_id and write.key not in values.values():
                board = self._known(self._place_of(batch.writes))
                found[write.key] = subitems.find_unsigned(self._client, board, write.parent_id, batching.sent_name(batch, n))
        return {key: ids for key, ids in found.items() if ids}

    def _adopt(self, write: Write, ids: Sequence[str]) -> Told:
        if len(ids) > 1:
            keys.warn_of_doubles(self._login, write.key, ids)
        return Told(done=Done(external_id=write.external_id, target_id=ids[0]))

    def _refuse(self, write: Write) -> Result:
        """Why a write was left out of the body."""
        error = batching.misfit(write, self._known(batching.place_of(write, self._place)))
        return Refused(external_id=write.external_id, error=error) if error else _not_written(write)

    def _place_of(self, writes: Sequence[Write]) -> str:
        return batching.place_of(writes[0], self._place)

    def _sign(self, batch: Batch, told: Mapping[int, Told]) -> None:
        """The first subitem was made before its board was there to hold a key: it gets its key now."""
        sent = batching.sent_values(batch)
        unsigned = {
            n: each.done.target_id
            for n, each in told.items()
            if each.done and batch.writes[n].creates and batch.writes[n].parent_id and batch.writes[n].key not in sent[n].values()
        }
        if not unsigned:
            return
        self._read(self._place_of(batch.writes))
        board = self._ready(self._place_of(batch.writes))
        for n, item in unsigned.items():
            values = {board.ours["key"]: batch.writes[n].key} | batching.stamp(board, self._login.now())
            subitems.sign(self._client, board, item, values)

    # -- files -------------------------------------------------------------------------------------------------------------

    def add_file(self, target_id: str, column_id: str, filename: str, content: bytes, *, key: str) -> str:
        """Put a file into a file column, unless one of that name is there already; its asset id either way."""
        name = clean_filename(filename)
        there = self._client.files(target_id, column_id)
        board, _group = split_place(self._place)
        return there.get(name) or self._client.add_file(board, target_id, column_id, name, content, key=key)

    # -- reading back ------------------------------------------------------------------------------------------------------

    def existing(self) -> Iterator[Mapping[str, Sequence[str]]]:
        """Every key on the board, in pages of 500; see ``keys.walk``."""
        yield from keys.walk(self._login, self._client, self._known(self._place))

    def standing(self, target_ids: Sequence[str] | None, columns: Sequence[str]) -> Iterator[Sequence[Standing]]:
        """Items as they are now; see ``standings``."""
        board = self._known(self._place)
        if target_ids is None:
            yield from standings.of_board(self._client, board, columns)
        else:
            yield from standings.by_ids(self._client, board, target_ids, columns)

    def as_standing(self, values: Values) -> Values:
        """How these values read once they stand on the board: what ``standing`` is to be compared with."""
        return standings.as_standing(self._known(self._place), values)


def _not_written(write: Write) -> Result:
    return NotWritten(external_id=write.external_id)
