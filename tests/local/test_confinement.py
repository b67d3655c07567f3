"""What the local cloud never does with what it is given."""

import json
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from tests.local.cloud import client, launch
from tests.support.processes import Process, free_port
from tests.support.stand_ins import ROOT, cloud_python


def inline_function(mark: Path) -> str:
    """A template whose custom resource is answered by code that leaves a mark on the disk."""
    code = f"open({str(mark)!r}, 'w').write('ran')\ndef handler(event, context):\n    open({str(mark)!r}, 'w')"
    return json.dumps(
        {
            "Resources": {
                "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}}},
                "Function": {
                    "Type": "AWS::Lambda::Function",
                    "Properties": {
                        "Runtime": "python3.12",
                        "Handler": "index.handler",
                        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                        "Code": {"ZipFile": code},
                    },
                },
                "Call": {
                    "Type": "Custom::Call",
                    "Properties": {"ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]}},
                },
            },
            "Outputs": {"Function": {"Value": {"Ref": "Function"}}},
        }
    )


def test_code_inside_a_template_does_not_run_here(cloud: Process, cloudformation: Any, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    stack = launch(cloudformation, "inline", inline_function(mark))
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    # Asking for it by name does not run it either.
    answer = client(cloud, "lambda").invoke(FunctionName=stack["Outputs"][0]["OutputValue"], Payload=b"{}")
    assert answer.get("FunctionError")
    time.sleep(0.5)
    assert not mark.exists()
    assert psutil.Process(cloud.pid).children(recursive=True) == []


def test_a_job_whose_script_lies_in_a_bucket_does_not_run_here(cloud: Process, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    storage, glue = client(cloud, "s3"), client(cloud, "glue")
    storage.create_bucket(Bucket="scripts", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    storage.put_object(Bucket="scripts", Key="job.py", Body=f"open({str(mark)!r}, 'w').write('ran')".encode())
    command = {"Name": "pythonshell", "ScriptLocation": "s3://scripts/job.py"}
    glue.create_job(Name="nightly", Role="any", Command=command)
    run = glue.start_job_run(JobName="nightly")["JobRunId"]
    while (state := glue.get_job_run(JobName="nightly", RunId=run)["JobRun"]["JobRunState"]) in ("STARTING", "RUNNING"):
        time.sleep(0.1)
    assert state == "FAILED"
    assert not mark.exists()


def test_nothing_listens_beyond_loopback(cloud: Process) -> None:
    listening = [c for c in psutil.Process(cloud.pid).net_connections() if c.status == psutil.CONN_LISTEN]
    assert {connection.laddr.ip for connection in listening} == {"127.0.0.1"}


@pytest.mark.parametrize("path", ["/_ministack/reset", "/_ministack/config"])
def test_no_page_in_the_browser_can_wipe_it(cloud: Process, path: str) -> None:
    assert requests.post(cloud.url + path, json={}, timeout=5).status_code == 404
    assert client(cloud, "ssm").get_parameter(Name="/slipway/example/seeded")


@pytest.mark.parametrize(
    "attempt",
    [
        "import subprocess; subprocess.run(['true'])",
        "import os; os.system('true')",
        "import socket; socket.socket().bind(('0.0.0.0', 0))",
        "import socket; socket.create_connection(('192.0.2.1', 80), 1)",
    ],
)
def test_programs_and_other_machines_are_refused(attempt: str) -> None:
    program = f"from localcloud.confinement import confine; confine(); {attempt}"
    done = subprocess.run([cloud_python(), "-c", program], cwd=ROOT / "local", capture_output=True, text=True)
    assert "NotAllowedHere" in done.stderr


def test_a_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [cloud_python(), ROOT / "local/cloud.py", "--port", str(port), "--data", tmp_path]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=20)
    assert done.returncode == 1
    assert done.stderr == f"Port {port} cannot be used for the local cloud: Address already in use.\n"


def test_a_data_directory_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    command = [cloud_python(), ROOT / "local/cloud.py", "--port", str(free_port()), "--data", tmp_path / "file"]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=20)
    assert done.returncode == 1
    assert done.stderr.startswith(f"The data directory {tmp_path / 'file'} cannot be used:")
    assert done.stderr.count("\n") == 1
