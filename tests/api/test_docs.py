"""`docs/api.md` is true: its requests are sent in order, and each is answered as a reader would expect."""

import re
import shlex
from pathlib import Path

from sqlalchemy import select

from app import db
from app.jobs.lifecycle import JobStatus
from app.jobs.models import Job
from app.stacks.lifecycle import StackStatus
from app.stacks.models import Stack
from tests.api.test_stacks import add_plan

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "api.md"
# The guide's examples are about a template that is shipped, so that a reader can send them as they stand.
SHIPPED = ROOT / "catalog" / "templates" / "sqs-queue" / "v1.1.yaml"
COMMAND = re.compile(r"(?:(\w+)=\$\()?curl (.*?)(?: \| jq (.*?))?\)?(?:; do .*)?$")


def sections():
    """Return the guide's sections that hold commands: title, and commands with continued lines joined."""
    for section in GUIDE.read_text().split("\n## ")[1:]:
        blocks = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
        joined = "".join(blocks).replace("\\\n", " ").replace("\n       ", " ")
        yield section.partition("\n")[0], joined.splitlines()


class Shell:
    """As much of a shell as the guide uses: variables, curl, and what jq picks from an answer."""

    def __init__(self, caller):
        self.caller = caller
        self.variables = {"API": "", "AUTH": "Authorization: Bearer " + caller.token}
        self.files = {}
        self.sent = []

    def run(self, line):
        if picked := re.fullmatch(r"(\w+)=\$\(jq -r (\S+) (\S+)\)", line):
            name, path, file = picked.groups()
            self.variables[name] = pick(self.files[file], path)
        elif "curl " in line:
            name, command, path = COMMAND.search(line).groups()
            answer = self.curl(command)
            if name:
                self.variables[name] = pick(answer.json, path.split()[-1])

    def curl(self, command):
        command, _, file = command.partition(" > ")
        words = [self.filled(word) for word in shlex.split(command.replace("'$DIGEST'", "$DIGEST"))]
        method, headers, data, path = "GET", {}, None, None
        while words:
            word = words.pop(0)
            if word == "-X":
                method = words.pop(0)
            elif word == "-H":
                name, _, value = words.pop(0).partition(": ")
                headers[name] = value
            elif word == "-d":
                data, method = words.pop(0), "POST" if method == "GET" else method
            elif not word.startswith("-"):
                path = word
        answer = self.caller.ask(method, path, headers=headers, data=data)
        assert answer.status_code in (200, 202), f"{method} {path}: {answer.text}"
        self.sent.append((method, path))
        self.files[file.strip()] = answer.json
        return answer

    def filled(self, word):
        return re.sub(r"\$(\w+)", lambda name: self.variables.get(name[1], name[0]), word)


def pick(document, path):
    for part in path.strip(".").split("."):
        document = document[part]
    assert document, path
    return document


def finish_launch():
    stack, job = db.session.scalars(select(Stack)).one(), db.session.scalars(select(Job)).one()
    stack.status, stack.outputs = StackStatus.READY, [{"key": "QueueUrl", "value": "https://queue", "description": ""}]
    stack.running_version_id, stack.running_answers = stack.version_id, stack.answers
    job.status = JobStatus.SUCCEEDED


def plan_update():
    job = db.session.scalars(select(Job).order_by(Job.id.desc())).first()
    job.status = JobStatus.WAITING
    add_plan(job)


def finish_update():
    db.session.scalars(select(Job).order_by(Job.id.desc())).first().status = JobStatus.SUCCEEDED


def test_the_guides_requests_work_in_order(dana, make):
    make.version("1.1", body=SHIPPED.read_text())
    shell = Shell(dana)
    # What the worker and the cloud do between the guide's requests.
    meanwhile = {"until": finish_launch, "PLAN": plan_update}
    for title, lines in sections():
        if title == "Delete":
            finish_update()
        for line in lines:
            meanwhile.pop(re.match(r"\w*", line)[0], lambda: None)()
            shell.run(line)
    assert len(shell.sent) == GUIDE.read_text().count("curl -s")
    assert shell.sent[-2][0] == "DELETE"
    assert db.session.scalars(select(Stack)).one().answers["VisibilityTimeoutSeconds"] == "60"


def test_every_path_the_guide_names_exists(client):
    known = set(client.get("/api/v1/openapi.json").json["paths"])
    named = set(re.findall(r"(?:POST|GET|DELETE|PATCH) (/[\w/{}]+)", GUIDE.read_text()))
    shapes = {re.sub(r"\{\w+\}", "{id}", path.removeprefix("/api/v1")) for path in known}
    assert named
    assert named <= shapes


def test_every_refusal_of_the_description_is_in_the_guide(client):
    document = client.get("/api/v1/openapi.json").json
    used = {status for path in document["paths"].values() for each in path.values() for status in each["responses"]}
    told = set(re.findall(r"^\| (\d{3}) \|", GUIDE.read_text(), re.MULTILINE))
    assert {status for status in used if status >= "400"} <= told
