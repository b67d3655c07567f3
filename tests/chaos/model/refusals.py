"""What CloudFormation says no with. The words are its own where they are known, since clients tell cases apart by them.

Known from recordings and error reports: all but those of `cannot_continue` and `cannot_skip`.
"""

from botocore.exceptions import ClientError

from tests.chaos.model.state import ChangeSet, Stack


class Refusal(Exception):  # noqa: N818 - a refusal is an answer here, not an error
    """An answer that says no: its code, words and HTTP status."""

    def __init__(self, code: str, words: str, status: int = 400):
        super().__init__(words)
        self.code, self.words, self.status = code, words, status

    def as_client_error(self, operation: str) -> ClientError:
        """Return it as botocore raises it."""
        who = "Sender" if self.status < 500 else "Receiver"
        error = {"Code": self.code, "Message": self.words, "Type": who}
        metadata = {"HTTPStatusCode": self.status, "RequestId": "", "HostId": "", "HTTPHeaders": {}, "RetryAttempts": 0}
        return ClientError({"Error": error, "ResponseMetadata": metadata}, operation)


def invalid(words: str) -> Refusal:
    return Refusal("ValidationError", words)


def no_stack(name: str) -> Refusal:
    return invalid(f"Stack [{name}] does not exist")


def no_stack_with_id(name: str) -> Refusal:
    return invalid(f"Stack with id {name} does not exist")


def no_change_set(name: str) -> Refusal:
    return Refusal("ChangeSetNotFound", f"ChangeSet [{name}] does not exist", 404)


def cannot_update(stack: Stack) -> Refusal:
    return invalid(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")


def exists_already(name: str, change_set: str) -> Refusal:
    return invalid(f"Stack [{name}] already exists and cannot be created again with the changeSet [{change_set}].")


def change_set_exists(name: str, attribute: str) -> Refusal:
    words = f"ChangeSet {name} cannot be created due to a mismatch with existing attribute {attribute}"
    return Refusal("AlreadyExistsException", words)


def not_executable(change_set: ChangeSet, at: float) -> Refusal:
    kind, status = "execution status", change_set.execution_status(at)
    if status == "UNAVAILABLE":
        kind, status = "status", change_set.status(at)
    return Refusal(
        "InvalidChangeSetStatus", f"ChangeSet [{change_set.id}] cannot be executed in its current {kind} of [{status}]"
    )


def change_set_busy() -> Refusal:
    words = "An operation on this ChangeSet is currently in progress. Please attempt this operation again later."
    return Refusal("InvalidChangeSetStatus", words)


def token_used() -> Refusal:
    return Refusal("TokenAlreadyExistsException", "A client request token already exists.")


def protected(name: str) -> Refusal:
    return invalid(f"Stack [{name}] cannot be deleted while TerminationProtection is enabled")


def cannot_delete(name: str, status: str) -> Refusal:
    return invalid(f"Stack [{name}] cannot be deleted while in status {status}")


def cannot_retain(stack: Stack) -> Refusal:
    return invalid(
        f"Invalid operation on stack [{stack.id}]. When you delete a stack, specify which resources to retain only "
        "when the stack is in the DELETE_FAILED state."
    )


def cannot_cancel() -> Refusal:
    return invalid("CancelUpdateStack cannot be called from current stack status")


def cannot_continue(stack: Stack) -> Refusal:
    return invalid(f"Stack:{stack.id} is in {stack.status} state and can not continue its rollback.")


def cannot_skip(logical_id: str) -> Refusal:
    return invalid(f"Resource [{logical_id}] did not fail to roll back, so it can not be skipped.")


def role_not_known(arn: str) -> Refusal:
    return invalid(f"Role {arn} is invalid or cannot be assumed")
