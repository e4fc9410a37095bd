"""The functions of one request, carried out in order: repeated ones refused, failures kept apart, or all undone together."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from lxml import etree

from integrations.sandboxes.core import Faults
from integrations.sandboxes.intacct import attachments, describe, legacy, query, writes
from integrations.sandboxes.intacct.answers import ROLLED_BACK, Error, Failed, Result, query_failed
from integrations.sandboxes.intacct.caller import Caller
from integrations.sandboxes.intacct.envelope import Call, Function
from integrations.sandboxes.intacct.faults import in_function
from integrations.sandboxes.intacct.legacy import Legacy
from integrations.sandboxes.intacct.replies import Reply
from integrations.sandboxes.intacct.state import roll_back

Run = Callable[[Caller, etree._Element], Reply]


@dataclass(kw_only=True)
class Functions:
    faults: Faults
    start_session: Run  # getAPISession needs the door; app.py hands it in
    older: Legacy = field(default_factory=Legacy)

    def carry_out(self, caller: Caller, call: Call) -> list[Result]:
        if not call.is_transaction:
            return [self._one(caller, call, function) for function in call.functions]
        undo = caller.company.remembering_undo()
        remembered = dict(caller.company.completed)
        results: list[Result] = []
        try:
            for function in call.functions:
                results.append(self._one(caller, call, function))
                if results[-1].status != "success":
                    caller.company.completed = remembered
                    roll_back(caller.company, undo)
                    return _aborted(call, results[-1])
        finally:
            caller.company.forget_undo()
        return results

    def _one(self, caller: Caller, call: Call, function: Function) -> Result:
        remembered = call.control.senderid, function.controlid
        try:
            self._refuse_repeated(caller, call, remembered)
            if failure := in_function(self.faults, function):
                raise failure
            reply = self._reply(caller, call, function)
            if reply.bare_body is not None and len(call.functions) > 1:
                raise query_failed("json and csv have no room for the answers of other functions")
        except Failed as failure:
            return Result(
                function=function.name, controlid=function.controlid, status="failure", data=failure.data, errors=failure.errors
            )
        caller.company.n_transactions += reply.n_transactions
        if call.is_unique:
            caller.company.completed[remembered] = caller.now
        return Result(
            function=function.name,
            controlid=function.controlid,
            data=reply.data,
            listtype=reply.listtype,
            bare_body=reply.bare_body,
            bare_type=reply.bare_type,
        )

    def _refuse_repeated(self, caller: Caller, call: Call, key: tuple[str, str]) -> None:
        """Only what was carried out counts as done; a function that failed may come again."""
        done = caller.company.completed.get(key)
        if call.is_unique and done is not None and caller.now - done < caller.settings.remembers_for:
            text = f"A function with control ID {key[1]} was already executed"
            raise Failed(Error(number=caller.settings.duplicate_code, description2=text))

    def _reply(self, caller: Caller, call: Call, function: Function) -> Reply:
        if len(call.functions) > 1 and any(one.name == "getAPISession" for one in call.functions):
            text = "getAPISession must be the only function of its request"
            raise Failed(Error(number="Get API Session Failed", description2=text))
        runs: dict[str, Run] = {
            "getAPISession": self.start_session,
            "query": query.run,
            "readByQuery": self.older.read_by_query,
            "readMore": self.older.read_more,
            "read": lambda who, what: legacy.read(who, what, by_name=False),
            "readByName": lambda who, what: legacy.read(who, what, by_name=True),
            "get": attachments.get,
            "get_list": attachments.get_list,
            "lookup": describe.lookup,
            "inspect": describe.inspect,
            "getDimensions": lambda who, what: describe.dimensions(who),
            "getUserPermissions": describe.user_permissions,
            "readUserFormatting": describe.user_formatting,
            "create": writes.create,
            "update": writes.update,
            "delete": writes.delete,
        }
        return runs[function.name](caller, function.element)


def _aborted(call: Call, cause: Result) -> list[Result]:
    errors = (*cause.errors, Error(number="XL03000009", description2=ROLLED_BACK))
    return [
        replace(cause, function=function.name, controlid=function.controlid, status="aborted", data="", errors=errors)
        for function in call.functions
    ]
