"""Templates, versions and environments, as a script reads them."""

from tests.api.conftest import problem

SECRETIVE = """\
Parameters:
  Size: {Type: Number, Default: 5, MinValue: 1, MaxValue: 10, Description: How many.}
  Password: {Type: String, NoEcho: true, Default: hunter2, MinLength: 4, AllowedPattern: "[a-z0-9]+"}
  Mode: {Type: String, AllowedValues: [fast, safe]}
Conditions:
  IsFast: !Equals [!Ref Mode, fast]
Resources:
  Role: {Type: AWS::IAM::Role, Properties: {}}
  Table: {Type: AWS::DynamoDB::Table, Condition: IsFast}
Outputs:
  Name: {Value: !Ref Table, Description: Its name.}
"""


def test_the_list_names_the_version_new_stacks_get(dana, make):
    make.version("1.0.0")
    make.version("1.1.0", status="draft")
    [item] = dana.get("/templates").json["items"]
    assert (item["slug"], item["version"], item["owner"]) == ("sqs-queue", "1.0.0", "platform")


def test_drafts_do_not_exist_here(dana, make):
    make.version("0.1.0", template=make.template("secret-plan"), status="draft")
    assert dana.get("/templates").json["items"] == []
    problem(dana.get("/templates/secret-plan"), 404)
    make.version("1.0.0")
    make.version("2.0.0", status="in_review")
    assert [each["number"] for each in dana.get("/templates/sqs-queue/versions").json["items"]] == ["1.0.0"]
    problem(dana.get("/templates/sqs-queue/versions/2.0.0"), 404)


def test_a_version_tells_what_it_asks_creates_and_returns(dana, make):
    make.version("1.0.0", body=SECRETIVE)
    found = dana.get("/templates/sqs-queue/versions/1.0.0").json
    size, password, mode = found["parameters"]
    assert (size["default"], size["constraints"]["min_value"], size["constraints"]["max_value"]) == ("5", 1, 10)
    assert (password["default"], password["no_echo"], password["required"]) == (None, True, False)
    assert (mode["required"], mode["allowed_values"]) == (True, ["fast", "safe"])
    assert [each["will_be_created"] for each in found["resources"]] == [True, None]
    assert found["resources"][1]["holds_data"] is True
    assert found["outputs"] == [{"key": "Name", "description": "Its name."}]
    assert found["capabilities"] == ["CAPABILITY_IAM"]


def test_a_hidden_default_is_in_no_document_about_the_version(dana, make):
    make.version("1.0.0", body=SECRETIVE)
    assert "hunter2" not in dana.get("/templates/sqs-queue/versions/1.0.0").text


def test_versions_come_newest_first(dana, make):
    for number in ("1.0.0", "1.10.0", "1.9.0"):
        make.version(number)
    found = dana.get("/templates/sqs-queue/versions").json["items"]
    assert [each["number"] for each in found] == ["1.10.0", "1.9.0", "1.0.0"]


def test_a_body_comes_as_it_was_published(dana, make):
    make.version("1.0.0", body=SECRETIVE)
    make.version("1.1.0", body='{"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}')
    yaml = dana.get("/templates/sqs-queue/versions/1.0.0/body")
    assert (yaml.mimetype, yaml.text) == ("text/yaml", SECRETIVE)
    assert dana.get("/templates/sqs-queue/versions/1.1.0/body").mimetype == "application/json"


def test_what_does_not_exist_is_a_problem_document(dana, make):
    make.version()
    problem(dana.get("/templates/no-such"), 404)
    problem(dana.get("/templates/no-such/versions"), 404)
    problem(dana.get("/templates/sqs-queue/versions/9.9.9"), 404)
    problem(dana.get("/templates/sqs-queue/versions/9.9.9/body"), 404)
    problem(dana.get("/environments/no-such"), 404)
    problem(dana.get("/no-such"), 404)
    problem(dana.get("/templates/a%00b"), 404)


def test_environments_say_where_one_may_launch(dana, omar):
    [staging] = dana.get("/environments").json["items"]
    assert (staging["slug"], staging["owner"], staging["may_launch"]) == ("payments-staging", "payments", True)
    assert omar.get("/environments/payments-staging").json["may_launch"] is False


def test_me_is_whom_the_token_speaks_for(dana, caller, make):
    found = dana.get("/me").json
    assert (found["username"], found["teams"]) == ("dana", ["payments"])
    assert found["roles"] == [{"role": "developer", "scope": "team:payments"}]
    assert caller(make.person("mona")).get("/me").json["roles"] == [{"role": "manager", "scope": "unit:commerce"}]
    assert caller(make.person("ada")).get("/me").json["roles"] == [{"role": "admin", "scope": "organisation"}]
