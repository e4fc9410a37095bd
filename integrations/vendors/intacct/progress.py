"""How far a reading has come: starting a little before where the last one ended, and the cursor that remembers it all."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from integrations.types import Cursor
from integrations.vendors.intacct.client import Rows
from integrations.vendors.intacct.streams import FOLLOWERS, UNSTAMPED, Position, Stream

OVERLAP = timedelta(minutes=5)
LOOK_BACK = timedelta(hours=3)
LOOK_BACK_EVERY = timedelta(hours=2)
SETTLED_AFTER = timedelta(minutes=30)
COMPARE_EVERY = timedelta(days=7)
COMPARE_AT = "compare_keys_at"
MOST_SEEN = 1000

TIMES = ("read_at", "looked_back_at", "lines_since")


@dataclass(kw_only=True)
class Progress:
    """Where one reading of everything new has come to."""

    positions: dict[str, Position]
    highest: dict[str, Position] = field(default_factory=dict)  # where the reading before had come to
    done: set[str] = field(default_factory=set)
    read_at: datetime  # when this reading began
    looked_back_at: datetime
    lines_since: datetime  # when the first reading began: it took all lines as they were
    is_first: bool = False  # everything is read, so no lines stream is needed beside it
    is_fresh: bool = True  # nothing was read yet
    seen: dict[str, str] = field(default_factory=dict)  # "stream/key" → stamp of rows that cost a call when they are seen again
    compare_at: datetime | None = None  # when all keys should be compared, since nothing else tells of deletions

    @classmethod
    def start(cls, cursor: Cursor | None, streams: Mapping[str, Stream], now: datetime) -> "Progress":
        """From the beginning; or strictly on from where a page ended; or anew, a little before where the last reading ended."""
        if not cursor:
            positions = {name: Position(now if name in FOLLOWERS else None) for name in streams}
            done = set(FOLLOWERS & set(streams))
            return cls(positions=positions, done=done, read_at=now, looked_back_at=now, lines_since=now, is_first=True)
        stored = cursor["streams"]
        read_at, looked_back_at, lines_since = (datetime.fromisoformat(cursor[name]) for name in TIMES)
        positions = {name: Position.load(stored[name]) if name in stored else unseen(name, looked_back_at) for name in streams}
        compare_at = datetime.fromisoformat(cursor[COMPARE_AT]) if cursor.get(COMPARE_AT) else None
        seen = dict(cursor.get("seen", {}))
        if not cursor["more"]:
            return cls(
                positions=positions,
                read_at=read_at,
                looked_back_at=looked_back_at,
                lines_since=lines_since,
                seen=seen,
                compare_at=compare_at,
            )._anew(now)
        highest = {name: Position.load(stored[name]["highest"]) for name in streams if "highest" in stored.get(name, {})}
        done = set(cursor["done"]) & set(streams)
        return cls(
            positions=positions,
            highest=highest,
            done=done,
            read_at=read_at,
            looked_back_at=looked_back_at,
            lines_since=lines_since,
            is_first=cursor["first"],
            is_fresh=False,
            seen=seen,
            compare_at=compare_at,
        )

    def _anew(self, now: datetime) -> "Progress":
        """Rows may appear late under an old time, so a stretch that was read before is read again."""
        is_due = now - self.looked_back_at >= LOOK_BACK_EVERY
        started = {
            name: self._look_back(name, each) if is_due else self._overlap(name, each) for name, each in self.positions.items()
        }
        looked_back_at = now if is_due else self.looked_back_at
        return replace(self, positions=started, highest=dict(self.positions), read_at=now, looked_back_at=looked_back_at)

    def _overlap(self, name: str, position: Position) -> Position:
        """Five minutes; none once the newest row was half an hour old when last read.

        Nothing of so long ago is still to appear within five minutes, and a large import would otherwise be read again for ever.
        """
        if name == UNSTAMPED:
            return Position()
        if position.at is None or position.at < self.read_at - SETTLED_AFTER:
            return position
        start = position.at - OVERLAP
        return Position(min(position.at, max(start, self.lines_since)) if name in FOLLOWERS else start)

    def _look_back(self, name: str, position: Position) -> Position:
        """Over all that may have been invisible at the look-back before: whatever appears within three hours is found."""
        if name == UNSTAMPED:
            return Position()
        start = self.looked_back_at - LOOK_BACK
        return position if position.at is None or position.at < start else Position(start)

    @property
    def headers_are_done(self) -> bool:
        return all(name in self.done for name in self.positions if name not in FOLLOWERS)

    def open_streams(self) -> list[str]:
        """What to ask next. Lines and payments wait for the headers: most of them belong to bills that come as headers anyway."""
        may_follow = self.is_fresh or self.headers_are_done
        return [name for name in self.positions if name not in self.done and (name not in FOLLOWERS or may_follow)]

    def advance(self, stream: Stream, page: Rows) -> None:
        self.positions[stream.name] = stream.behind(self.positions[stream.name], page)
        if not page.n_remaining:
            self.done.add(stream.name)

    def end(self) -> None:
        """Nothing is left to read: no stream falls back behind where it had come to before."""
        for name, highest in self.highest.items():
            if name in self.positions:
                self.positions[name] = max(self.positions[name], highest, key=lambda each: each.rank)

    @property
    def has_more(self) -> bool:
        return any(name not in self.done for name in self.positions)

    def cursor(self) -> dict[str, Any]:
        """As JSON: positions, and whether this reading goes on from them."""
        more = self.has_more
        if not more:
            self.end()
        streams: dict[str, Any] = {name: position.dump() for name, position in self.positions.items()}
        times = {name: getattr(self, name).isoformat() for name in TIMES}
        stored: dict[str, Any] = {"streams": streams, "more": more, **times}
        if self.compare_at is not None:
            stored[COMPARE_AT] = self.compare_at.isoformat()
        if seen := self._recent():
            stored["seen"] = seen
        if more:
            for name, highest in self.highest.items():
                streams[name]["highest"] = highest.dump()
            stored |= {"done": sorted(self.done), "first": self.is_first}
        return stored

    def _recent(self) -> dict[str, str]:
        """What the next overlap may show again."""
        starts = {name: position.at - OVERLAP for name, position in self.positions.items() if position.at is not None}
        recent = {
            key: stamp
            for key, stamp in self.seen.items()
            if (start := starts.get(key.partition("/")[0])) and datetime.fromisoformat(stamp) >= start
        }
        return dict(sorted(recent.items(), key=lambda each: each[1])[-MOST_SEEN:])

    # -- Deletions --------------------------------------------------------------------------------------------------------

    def deletions_are_told(self, now: datetime) -> None:
        """No comparison is needed any more, unless one is overdue."""
        if self.compare_at is not None and self.compare_at > now:
            self.compare_at = None

    def deletions_are_not_told(self, now: datetime) -> None:
        self.compare_at = self.compare_at or now + COMPARE_EVERY


def unseen(name: str, looked_back_at: datetime) -> Position:
    """Where a stream begins that the cursor does not know yet: its fields were not mapped before."""
    return Position(looked_back_at) if name in FOLLOWERS else Position()


def compared(cursor: Cursor, now: datetime) -> Cursor:
    """The cursor after all keys were compared: the next comparison is due in a week."""
    return {**cursor, COMPARE_AT: (now + COMPARE_EVERY).isoformat()}
