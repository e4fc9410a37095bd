"""Monday's world as a sandbox: ``POST /v2`` and ``/v2/file`` carry out GraphQL on the company that seed.py describes."""

import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from graphql import ExecutionResult, execute

from integrations.sandboxes.core import Answer, Clock, ConnectionCut, Faults, Request, TooSlow

from . import access, answers, asking, doors, faults, seed, versions
from .answers import WholeRefusal
from .asking import Call
from .context import Context
from .documents import Document, Documents, location
from .faults import AliasFault
from .helpers import Helpers
from .idempotency import Key, Remembered
from .ingest import Import
from .jobs import Job, Jobs
from .limits import Limits, Quotas
from .schema import monday_schema
from .search import Walks
from .settings import Settings
from .state import State

HUGE = 10 * 1024 * 1024


class Foreign(Exception):
    """An answer that does not come from the API itself but from something before it."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class MondayWorld(Helpers):
    """One Monday account. Requests take turns; what the caller may observe is the same as if they did not."""

    FAULTS = faults.NAMES | doors.FAULTS

    def __init__(self, clock: Clock, faults: Faults) -> None:
        self.clock, self.faults = clock, faults
        self._lock = threading.RLock()
        self._documents = Documents(monday_schema())
        self._n_requests = 0
        self.reset()

    def reset(self, **settings: Any) -> None:
        """The small company as it was on the first day; settings.py says what can be set."""
        chosen = Settings(**settings)
        with self._lock:
            self.settings = chosen
            self.world = _company(chosen)
            self.limits = Limits(quotas=_quotas(chosen), is_on=chosen.limits)
            self.walks, self.remembered = Walks(), Remembered()
            self.jobs = Jobs(takes=timedelta(seconds=chosen.ingest_seconds))
            if chosen.seed:
                seed.boards(self.world, self.clock.now())

    def seed(self, **settings: Any) -> dict[str, Any]:
        """Put bills on a board: ``n`` of them (100), on ``board`` ("AP bills")."""
        return self._put_bills(**settings)

    def _put_bills(self, *, n: int = 100, board: str = "AP bills") -> dict[str, Any]:
        with self._lock:
            ids = seed.bills(self.world, self.board(board), n, self.clock.now())
            return {"board_id": self.board(board).id, "item_ids": ids}

    def state(self) -> dict[str, Any]:
        self.settle()
        with self._lock:
            account = {"id": self.world.account.id, "name": self.world.account.name, "plan": self.world.account.plan}
            users = [{"id": one.id, "name": one.name, "kind": one.kind} for one in self.world.users.values()]
            boards = [self._board_state(board_id) for board_id in self.world.boards]
            return {"account": account, "users": users, "boards": boards, "calls_today": self.limits.used_today}

    def _board_state(self, board_id: str) -> dict[str, Any]:
        board = self.board(board_id)
        columns = [{"id": one.id, "title": one.title, "type": one.type} for one in board.columns.values()]
        groups = [{"id": one.id, "title": one.title} for one in board.live_groups()]
        about = {"id": board.id, "name": board.name, "state": board.state, "items_count": len(board.active)}
        return {**about, "columns": columns, "groups": groups, "items": self.board_items(board_id)}

    def handle(self, request: Request) -> Answer:
        self.settle()
        if request.path.rstrip("/") not in ("/v2", asking.FILE_DOOR):
            return self._beside(request)
        with self._lock:
            self._n_requests += 1
            limits = self.limits  # a reset in between puts new ones in their place
            limits.n_running += 1
            call = Call(request=request, request_id=f"{self._n_requests:08x}-5a9d-4c1e-9b7f-{0x3107455:012x}")
        try:
            return self._answered(call)
        except WholeRefusal as refusal:
            return self._dressed(call, refusal.body(call.request_id), status=refusal.status, headers=refusal.headers)
        except Foreign as foreign:
            return foreign.answer
        except (ConnectionCut, TooSlow) as gone:
            gone.operation = call.operation
            raise
        finally:
            with self._lock:
                limits.n_running -= 1

    def settle(self) -> None:
        """Carry out what was due in the meantime: imports whose time is over."""
        with self._lock:
            self.jobs.settle(self.clock.now(), self._import)

    def _import(self, job: Job, due: datetime) -> None:
        self.world.settle(due)
        most = self.settings.ingest_bytes
        Import(state=self.world, limits=self.limits, job=job, now=due, most_bytes=most).run()

    def _beside(self, request: Request) -> Answer:
        """The doors beside the API, which ask for no token."""
        try:
            with self._lock:
                return doors.Doors(state=self.world, jobs=self.jobs, faults=self.faults).answer(request, self.clock.now())
        finally:
            self.settle()

    def _answered(self, call: Call) -> Answer:
        with self._lock:
            self._admit(call)
            key = self._key(call)
            remembered = self.remembered.begin(key, self.clock.now()) if key else None
        if remembered is not None:
            return self._delivered(call, self._replayed(call, remembered))
        executed = None
        try:
            executed = self._carried_out(call)
        finally:
            if key:
                with self._lock:
                    self.remembered.end(key, executed, self.clock.now())
        return self._delivered(call, executed)

    def _replayed(self, call: Call, remembered: Answer) -> Answer:
        with self._lock:
            limits = self.limits.headers(call.budget, call.kind, self.clock.now())
        headers = {**remembered.headers, **limits, "Idempotency-Replayed": "true"}
        return Answer(status=remembered.status, headers=headers, body=remembered.body, operation=call.operation)

    def _admit(self, call: Call) -> None:
        """Everything that is checked before anything is done, in the order in which the vendor's gateway does it."""
        problem = None
        try:
            text, call.variables, operation_name = asking.asked(call.request)
            call.document = self._documents.read(text, operation_name)
        except WholeRefusal as refusal:
            problem = refusal
        call.token = access.token_of(self.world, call.request.headers.get("authorization", ""))
        call.version = versions.chosen(call.request.headers.get("api-version"))
        is_bare = call.document is not None and call.operation == "complexity"
        self.limits.call(call.budget, self.clock.now(), weight=0.1 if is_bare else 1.0)
        if problem is not None or call.document is None:
            raise problem or answers.no_query()
        call.fault = faults.strike(self.faults, [root.name.value for root in call.document.roots()])
        self._strike_before(call)
        asking.refuse_json_objects(call.document, call.variables)
        access.check_scopes(call.token, call.document)

    def _key(self, call: Call) -> Key | None:
        sent = call.request.headers.get("idempotency-key", "")
        if not sent or call.kind == "read" or call.request.method != "POST" or call.token is None:
            return None
        return (call.token.user.id, call.token.app_id, sent)

    def _strike_before(self, call: Call) -> None:
        fault = call.fault
        if fault is None:
            return
        if fault.name in faults.WHOLE:
            raise faults.whole(fault)
        if fault.name == "slow":
            raise TooSlow(float(fault.settings.get("seconds", 65)))
        if fault.name in faults.DOCUMENT:
            raise asking.document_fault(fault.name, call)
        if fault.name in faults.FOREIGN:
            raise Foreign(faults.foreign(fault, call.operation))

    def _carried_out(self, call: Call) -> Answer:
        with self._lock:
            document, now = call.document, self.clock.now()
            assert document is not None
            assert call.token is not None
            roots = [root.name.value for root in document.roots()]
            self.limits.new_boards(roots.count("create_board"), now)
            self.limits.new_jobs(roots.count("ingest_items"), now)
            cost = document.cost(call.variables, self.settings.mutation_cost)
            before, after, wait = self.limits.spend(call.budget, call.kind, cost, now)
            points = {"before": before, "after": after, "query": cost, "reset_in_x_seconds": wait}
            context = Context(
                state=self.world, token=call.token, now=now, limits=self.limits, walks=self.walks, settings=self.settings,
                version=call.version, complexity=points, alias_fault=AliasFault(fault=call.fault),
                base_url=call.request.base_url, jobs=self.jobs,
            )  # fmt: skip
            return self._dressed(call, self._executed(call, document, context), status=200)

    def _executed(self, call: Call, document: Document, context: Context) -> dict[str, Any]:
        result = execute(
            monday_schema(),
            document.node,
            variable_values=call.variables,
            operation_name=document.operation.name.value if document.operation.name else None,
            context_value=context,
            is_awaitable=lambda value: False,
        )
        assert isinstance(result, ExecutionResult)
        asking.refuse_bad_variables(result, call.variables)
        body: dict[str, Any] = {"data": result.data}
        if result.errors:
            body["errors"] = [answers.shown(error) for error in result.errors]
        if call.fault is not None and call.fault.name in faults.NESTED:
            faults.null_nested(body, call.fault, location(document.roots()[0]))
        return body | {"extensions": {"request_id": call.request_id}, "account_id": int(self.world.account.id)}

    def _delivered(self, call: Call, answer: Answer) -> Answer:
        """What becomes of a finished answer on its way back."""
        fault = call.fault
        match fault.name if fault else "":
            case "commit_then_drop" | "lost_reply":
                raise ConnectionCut("the connection was closed before the answer was sent")
            case "commit_then_slow":
                raise TooSlow(float(fault.settings.get("seconds", 65)) if fault else 65)
            case "truncated":
                return _with_body(answer, answer.body[: len(answer.body) // 2])
            case "huge":
                return _with_body(answer, b'{"data":{"padding":"' + b"x" * HUGE + b'"}}')
        return answer

    def _dressed(self, call: Call, body: Any, *, status: int, headers: Mapping[str, str] | None = None) -> Answer:
        version = call.version
        if call.fault is not None and call.fault.name == "version_changed":
            version = str(call.fault.settings.get("version", versions.OLDEST))
        with self._lock:
            limits = self.limits.headers(call.budget, call.kind, self.clock.now())
        every = {"API-Version": version, **limits, **(headers or {})}
        return answers.answer(body, status=status, operation=call.operation, headers=every)


def _company(settings: Settings) -> State:
    world = seed.company(settings.plan)
    world.lag = timedelta(seconds=settings.visibility_lag)
    world.items_limit = settings.items_limit
    for user in world.users.values():
        user.may_change_structure = settings.create_labels
    return world


def _quotas(settings: Settings) -> Quotas:
    quotas = Quotas.of(settings.plan)
    given = {"minute": settings.minute_limit, "daily": settings.daily_limit, "at_once": settings.concurrency_limit}
    return replace(quotas, **{name: number for name, number in given.items() if number is not None})


def _with_body(answer: Answer, body: bytes) -> Answer:
    return Answer(status=answer.status, headers=answer.headers, body=body, operation=answer.operation)
