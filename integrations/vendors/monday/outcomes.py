"""From what an answer tells of each write to the results that the engine settles."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from integrations.errors import IntegrationError, RateLimited, RecordRejected, SetupBroken, VendorUnavailable
from integrations.types import Batch, Done, Gone, NotWritten, Refused, Result, Write
from integrations.vendors.monday.batching import Told, is_missing, refusal, sent_values
from integrations.vendors.monday.boards import Board
from integrations.vendors.monday.client import MondayClient
from integrations.vendors.monday.errors import Means, verdict_of, worst

GONE: Final = {
    "archived": "Somebody archived this item in Monday.com. We do not create it again unless you ask for it.",
    "deleted": "Somebody deleted this item in Monday.com. We do not create it again unless you ask for it.",
}


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """Turns the tellings of one batch into results; ``board`` is asked for only where a refusal has to name columns."""

    batch: Batch
    told: Mapping[int, Told]
    client: MondayClient
    board: Callable[[], Board]
    unsent: Callable[[Write], Result]

    def results(self, *, may_raise: bool) -> Sequence[Result]:
        """One result per write.

        What concerns everything (a throttle, a missing right, a full board) is raised when it is all that the answer says and
        ``may_raise``; beside writes that succeeded it says of the others that they certainly did not happen.
        """
        general = [each.error for each in self.told.values() if each.error and not isinstance(each.error, RecordRejected)]
        general += [error for n in self.told if (error := self._lost_group(n))]
        has_more = any(each.done or isinstance(each.error, RecordRejected) for each in self.told.values())
        if general and may_raise and (not has_more or any(self._lost_group(n) for n in self.told)):
            raise worst(general)
        self._pause(general)
        states = self._states()
        return [self._result(n, states) for n in range(len(self.batch.writes))]

    def _pause(self, general: Sequence[IntegrationError]) -> None:
        throttles = [each for each in general if isinstance(each, RateLimited)]
        if throttles:
            self.client.pause(max(throttles, key=lambda each: each.retry_after))

    def _lost_group(self, n: int) -> SetupBroken | None:
        """A create that misses something misses its group: there is no item yet that could be missing."""
        told = self.told[n]
        write = self.batch.writes[n]
        missing = told.complaint is not None and is_missing(told.complaint)
        if not missing or not write.creates or write.parent_id or told.done:
            return None
        return SetupBroken(
            "The group that new items go to is no longer on the Monday.com board. Choose another group.",
            what="group",
            vendor="monday",
        )

    def _states(self) -> Mapping[str, str]:
        """The states of all items whose update was refused for another reason than a value: one call for a batch."""
        doubtful = [self.batch.writes[n].target_id for n in self.told if self._may_be_gone(n)]
        if not doubtful:
            return {}
        return dict.fromkeys(doubtful, "deleted") | dict(self.client.states(doubtful))

    def _may_be_gone(self, n: int) -> bool:
        told = self.told[n]
        if self.batch.writes[n].creates or not isinstance(told.error, RecordRejected) or told.complaint is None:
            return False
        verdict = verdict_of(told.complaint)
        return verdict is None or verdict.means is not Means.VALUE

    def _result(self, n: int, states: Mapping[str, str]) -> Result:
        write, told = self.batch.writes[n], self.told.get(n)
        if told is None:
            values = sent_values(self.batch)
            return NotWritten(external_id=write.external_id) if n in values else self.unsent(write)
        if told.done:
            return told.done
        if not isinstance(told.error, RecordRejected):
            return NotWritten(external_id=write.external_id)
        if write.archives and states.get(write.target_id) in GONE:
            return Done(external_id=write.external_id, target_id=write.target_id)
        if said := GONE.get(states.get(write.target_id, "")):
            return Gone(external_id=write.external_id, said=said)
        return Refused(external_id=write.external_id, error=refusal(told, write, sent_values(self.batch)[n], self.board()))


def insist_on_answers(told: Mapping[int, Told]) -> None:
    """Raises VendorUnavailable when the answer leaves the outcome of any write open."""
    if silent := [each for each in told.values() if each.is_open]:
        complaint = silent[0].complaint
        raise VendorUnavailable(
            "Monday.com did not say what became of an item. We find out by ourselves.",
            vendor="monday", operation="WriteItems", request_id=complaint.request_id if complaint else "",
        )  # fmt: skip
