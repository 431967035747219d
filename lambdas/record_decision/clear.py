"""Deletes a production stack whose first creation failed, so that the release can create it; never any other stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handler_kit import logs, tokens
from handler_kit.errors import StepError
from handler_kit.production import find_stack
from handler_kit.report import Continue
from handler_kit.tokens import Token

if TYPE_CHECKING:
    from record_decision.settings import Settings

# An endpoint that was never in service is deleted within minutes.
MAX_WAIT_SECONDS = 3600


def clear(settings: Settings, cloudformation: Any, token_text: str | None, *, now: int) -> Continue | None:
    """Delete the production stack if it never served, and wait until it is deleted; ``None`` when nothing is to delete.

    Raises StepError when the stack cannot be deleted or updated; the message has the command that fixes it.
    """
    name = settings.production_stack
    latest_deadline = now + MAX_WAIT_SECONDS
    token = Token(name, latest_deadline)
    if token_text is not None:
        token = tokens.decode(token_text, is_ours=lambda awaits: awaits == name, latest_deadline=latest_deadline)
    stack = find_stack(cloudformation, name)
    if stack is None:
        return None
    stack.check()
    if stack.never_served:
        # By its ID, so that a new stack with the same name is never deleted.
        cloudformation.delete_stack(StackName=stack.id, RoleARN=settings.deploy_role_arn)
        logs.info("deleting a stack that never served", stack=stack.id, status=stack.status)
    elif stack.status != "DELETE_IN_PROGRESS":
        return None
    if now >= token.deadline:
        raise StepError(
            f"Stack {name} is still {stack.status} after {MAX_WAIT_SECONDS // 60} minutes. See its events, and retry"
            " the stage when it is deleted."
        )
    return Continue(token, summary=f"Stack {name} never served and is being deleted", external_id=stack.id)
