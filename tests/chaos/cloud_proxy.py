"""A proxy before the local cloud that knows what is asked: it writes every call down and breaks some on purpose."""

import asyncio
import contextlib
import html
import re
import time
import urllib.parse
from dataclasses import replace
from pathlib import Path

from tests.chaos.calls import UNANSWERED, Call, CallLog, tag_ref_of
from tests.chaos.cloud_faults import REFUSALS, Choice, Faults
from tests.chaos.door import Door, end
from tests.chaos.http_messages import Message, answer, read_answer, read_request

FORM = "application/x-www-form-urlencoded"
_CREDENTIAL = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/")
_CODE = re.compile(rb"<Code>([^<]+)</Code>")
_STACK_ID = re.compile(rb"<StackId>([^<]+)</StackId>")
_CHANGE_SET_ID = re.compile(rb"<Id>([^<]+)</Id>")
_KEY_GIVEN = re.compile(rb"<AccessKeyId>([^<]+)</AccessKeyId>")
_ROLE_OF = re.compile(rb"arn:aws:sts::(\d{12}):assumed-role/")


class CloudProxy(Door):
    """`with CloudProxy(cloud.port, log_file, faults) as proxy: proxy.url … proxy.calls`.

    Calls in AWS's query protocol (CloudFormation, STS) are written down and may meet a fault; every other request just
    passes. `faults` may be replaced, or told to do otherwise, at any time.
    """

    def __init__(self, target: int, log: Path, faults: Faults | None = None, port: int | None = None):
        super().__init__(target, port)
        self.faults = faults or Faults()
        self._log = CallLog(log)
        self._last: dict[tuple[str, str, bytes], tuple[float, Message]] = {}
        # What earlier answers told: whose keys these are, which stack a name or a change set means.
        self._accounts: dict[str, str] = {}
        self._stack_ids: dict[str, str] = {}

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self._log.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def calls(self) -> list[Call]:
        """Every call that is over by now, in the order in which they came."""
        return sorted(self._log.calls, key=lambda call: call.t)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = _Line(self)
        try:
            while request := await read_request(reader, writer):
                found = await self._deal(request, line, writer)
                if found is None:
                    return
                writer.write(found.raw)
                await writer.drain()
                if request.is_last or found.is_last:
                    # An abrupt end could overtake what was just written.
                    writer.close()
                    await writer.wait_closed()
                    return
        finally:
            line.close()

    async def _deal(self, request: Message, line: "_Line", writer: asyncio.StreamWriter) -> Message | None:
        """Return what to answer, or nothing where the connection shall end instead."""
        call = self._read(request)
        if call is None:
            return await line.ask(request)
        choice = self.faults.choose(call.service, call.operation)
        call = replace(call, fault=choice.kind)
        if choice.kind in REFUSALS:
            status, code, message = REFUSALS[choice.kind]
            self._log.add(call, outcome=code)
            return _error(status, code, message)
        if choice.kind in ("timeout", "reset"):
            await self._leave_alone(call, writer)
            return None
        if choice.kind == "stale" and (before := self._from_before(call, request)):
            self._log.add(call, outcome="ok")
            return before
        if choice.kind == "slow":
            await asyncio.sleep(choice.random.uniform(*self.faults.slow_seconds))
        return self._spoilt(call, choice, await self._ask(call, request, line))

    async def _leave_alone(self, call: Call, writer: asyncio.StreamWriter) -> None:
        """Never answer: the cloud hears nothing of this call."""
        self._log.add(call)
        if call.fault == "timeout":
            await asyncio.sleep(self.faults.hang_seconds)
        end(writer, with_reset=call.fault == "reset")

    async def _ask(self, call: Call, request: Message, line: "_Line") -> Message | None:
        """Ask the cloud, and remember what its answer tells."""
        found = await line.ask(request)
        if found is not None and found.status < 300:
            self._learn(call, found)
            if call.operation == "DescribeStacks":
                self._last[_same(call, request)] = (time.monotonic(), found)
        return found

    def _spoilt(self, call: Call, choice: Choice, found: Message | None) -> Message | None:
        """Write down what the cloud answered, and return what the caller is to get of it."""
        if found is None:
            self._log.add(call)
            return None
        happened = found.status < 300
        outcome = _outcome(found)
        given: Message | None = found
        if choice.kind == "execute_then_fail":
            is_cut = choice.random.random() < 0.5
            outcome = UNANSWERED if is_cut else "InternalFailure"
            given = None if is_cut else _error(500, "InternalFailure", "An internal error occurred.")
        elif choice.kind == "garbled":
            outcome, given = UNANSWERED, answer(200, found.body.decode()[: len(found.body) // 2], "garbled")
        self._log.add(call, outcome=outcome, happened=happened, stack_id=self._stack_id(call))
        return given

    def _from_before(self, call: Call, request: Message) -> Message | None:
        """Return what the same question was answered lately, where it is one about stacks."""
        at, found = self._last.get(_same(call, request), (0.0, None))
        return found if time.monotonic() - at <= self.faults.stale_seconds else None

    def _read(self, request: Message) -> Call | None:
        """Return the call a request makes, or nothing where it speaks another protocol."""
        if not request.headers.get("content-type", "").startswith(FORM):
            return None
        form = dict(urllib.parse.parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True))
        signed = _CREDENTIAL.search(request.headers.get("authorization", ""))
        if "Action" not in form or signed is None:
            return None
        key, region, service = signed.groups()
        call = Call(
            t=time.monotonic(),
            service=service,
            operation=form["Action"],
            account=self._accounts.get(key, key),
            region=region,
            stack=form.get("StackName", ""),
            change_set=form.get("ChangeSetName", ""),
            change_set_type=form.get("ChangeSetType", ""),
            token=form.get("ClientToken") or form.get("ClientRequestToken", ""),
            tag_ref=tag_ref_of(form),
        )
        return replace(call, stack_id=self._stack_id(call))

    def _stack_id(self, call: Call) -> str:
        """Return the id of the stack a call is about, as far as it is known."""
        if call.stack.startswith("arn:"):
            return call.stack
        of_name = self._stack_ids.get(f"{call.account}/{call.region}/{call.stack}", "")
        return self._stack_ids.get(call.change_set, "") or of_name

    def _learn(self, call: Call, found: Message) -> None:
        if call.operation == "AssumeRole":
            key, role = _KEY_GIVEN.search(found.body), _ROLE_OF.search(found.body)
            if key and role:
                self._accounts[key.group(1).decode()] = role.group(1).decode()
        elif call.operation == "CreateChangeSet":
            stack, change_set = _STACK_ID.search(found.body), _CHANGE_SET_ID.search(found.body)
            if stack and change_set:
                stack_id = html.unescape(stack.group(1).decode())
                self._stack_ids[f"{call.account}/{call.region}/{stack_id.split('/')[1]}"] = stack_id
                self._stack_ids[html.unescape(change_set.group(1).decode())] = stack_id


class _Line:
    """A connection to the cloud that is kept for the next request of the same client."""

    def __init__(self, door: Door):
        self._door = door
        self._ends: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: Message) -> Message | None:
        """Pass a request on and return the answer; nothing where the cloud went away over it.

        It is sent once and never again: whether to repeat a call is the portal's question.
        """
        found = None
        with contextlib.suppress(OSError, EOFError):
            reader, writer = await self._connected()
            writer.write(request.raw)
            await writer.drain()
            found = await read_answer(reader, request.method)
        if found is None or found.is_last:
            self.close()
        return found

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._ends is None or self._ends[0].at_eof():
            self.close()
            self._ends = await self._door.connect()
        return self._ends

    def close(self) -> None:
        if self._ends is not None:
            end(self._ends[1])
        self._ends = None


def _same(call: Call, request: Message) -> tuple[str, str, bytes]:
    return call.account, call.region, request.body


def _outcome(found: Message) -> str:
    if found.status < 300:
        return "ok"
    code = _CODE.search(found.body)
    return code.group(1).decode() if code else str(found.status)


def _error(status: int, code: str, message: str) -> Message:
    kind = "Sender" if status < 500 else "Receiver"
    body = f"<Error><Type>{kind}</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    namespace = "http://cloudformation.amazonaws.com/doc/2010-05-15/"
    return answer(
        status, f'<ErrorResponse xmlns="{namespace}">{body}<RequestId>injected</RequestId></ErrorResponse>', "injected"
    )
