"""Sixty faults and bad inputs, and what happens. The name of a test begins with its rows: ``test_05_08_...``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A fault or a bad input.

    Attributes:
        number: Its number, which never changes.
        fault: What goes wrong.
        behaviour: What happens then.
        missing: What no test shows, or does not hold; empty otherwise.
        live: The call that would show it in a real account; empty where tests show it.
    """

    number: int
    fault: str
    behaviour: str
    missing: str = ""
    live: str = ""


_ROWS: tuple[tuple[str, str, str, str], ...] = (
    (
        "The same S3 event comes twice",
        "A function that gets an event again adopts its job and finds its package. When EventBridge delivers one upload"
        " twice, the second execution is stopped before it trains",
        "",
        "",
    ),
    (
        "Events out of order; ten uploads in a second",
        "Each execution trains on the version of its own event, in the order in which the executions started",
        "",
        "",
    ),
    (
        "An upload of 0 bytes, a folder marker, another prefix or suffix, a delete marker",
        "The rule does not match: no execution",
        "",
        "",
    ),
    (
        "The target of an event fails",
        "EventBridge tries for 24 hours what may pass; then, or at once, the event goes to the dead-letter queue with"
        " the reason, and an alarm on the queue notifies the approvers. What the queue refuses too is lost, and another"
        " alarm notifies them",
        "",
        "",
    ),
    ("A call is throttled", "The function tries again, or looks again later; a running job is left alone", "", ""),
    ("A quota is too low", "The execution fails at once; its reason names the quota and the instance type", "", ""),
    (
        "There is no capacity",
        "Bounded retries, with the fallback instance types where there are some; then the reason",
        "",
        "",
    ),
    (
        "A function dies between a call and its report",
        "Lambda delivers the event again; the function finds what it has done: one job, one package, one record",
        "",
        "",
    ),
    ("A function gets one event twice at the same time", "One reports, the other one's report is swallowed", "", ""),
    ("The report to CodePipeline is throttled", "It is raised, so that Lambda delivers the event again", "", ""),
    ("A corrupt or forged continuation token", "The action fails and says so; nothing is called", "", ""),
    (
        "Training fails",
        "The action fails with the reason and the log; production does not change; a retry is a second attempt",
        "",
        "",
    ),
    ("Training stops, takes too long, or has an unknown status", "The action fails; no wait is endless", "", ""),
    ("An execution is stopped while it trains", "Its training job, and no other, is stopped", "", ""),
    ("A spot interruption", "Training goes on from its checkpoint; the gap is not billed", "", ""),
    (
        "A zip that is none, is truncated, encrypted or empty",
        "It is refused by name before anything is trained",
        "",
        "",
    ),
    ("A zip with paths outside its folder", "It is refused; nothing is written outside", "", ""),
    ("A zip bomb", "It is refused by its limits of bytes, entries and ratio", "", ""),
    (
        "A hostile model.tar.gz",
        "Nothing is written outside the model's folder",
        "On AWS, SageMaker extracts the archive.",
        "`aws sagemaker create-endpoint` with an archive that has a member `../x`",
    ),
    ("A data set of another schema", "Training fails with the exact reason, in at most 1,024 characters", "", ""),
    (
        "A data set of more than 5 GB",
        "It is refused: upload a manifest that names smaller objects",
        "",
        "",
    ),
    ("Too many, too long or nested hyperparameters", "They are refused at synth, by field", "", ""),
    (
        "A metric that is missing, no number, below the threshold, or worse than production's",
        "The gate stays closed, and the package is rejected",
        "",
        "",
    ),
    (
        "A model too large for the instance",
        "The endpoint fails with the reason, and production keeps its model; volume and download time can be set",
        "",
        "",
    ),
    (
        "A container that is never healthy",
        "DEV: the next release replaces the failed stack. Production: the old fleet serves; the reason is that of the"
        " first resource",
        "",
        "",
    ),
    (
        "The first creation of a stack fails",
        "DEV is replaced; a production stack that never served is deleted before the next change set",
        "",
        "",
    ),
    (
        "A production stack in UPDATE_ROLLBACK_FAILED",
        "The execution fails before training, with the command that helps; nobody is asked",
        "",
        "",
    ),
    (
        "A stack is in progress when its action starts",
        "The action fails and says so; the stage can be retried",
        "",
        "",
    ),
    ("An endpoint that changes for hours", "The smoke test waits until its deadline, and deletes nothing", "", ""),
    ("An endpoint that silently rolled back", "The smoke test compares the configuration, and fails", "", ""),
    (
        "An alarm rings while traffic shifts",
        "The old fleet serves; the execution fails, and its reason names the alarm",
        "",
        "",
    ),
    (
        "An alarm rings before the release, or has no data",
        "Ringing: the old fleet serves. No data: the release goes on",
        "",
        "",
    ),
    (
        "Another instance type, or a variant less, under autoscaling",
        "The local AWS refuses it as SageMaker does; the pipeline refuses it before training",
        "",
        "",
    ),
    ("A release while production is scaled out", "The number of instances is kept", "", ""),
    ("Impossible counts for autoscaling or a canary", "They are refused at synth, with the rule", "", ""),
    (
        "Variant weights that are all zero or negative, names twice, a variant less",
        "They are refused; the end of an A/B test leaves one clean variant",
        "",
        "",
    ),
    ("A rejection", "The execution stops, production does not change, the package is rejected", "", ""),
    ("Nobody answers the approval", "The execution fails after the time; the next one goes on", "", ""),
    ("A role of the pipeline approves", "IAM denies it", "", ""),
    ("Two pipelines in one account", "They share no name and no object", "", ""),
    ("A wrong Content-Type or Accept", "415 or 406 with the reason, never 500", "", ""),
    (
        "A body that is too large, empty, malformed, or has 100,000 records",
        "413 or 400 with the reason; memory is bounded, and `/ping` stays 200",
        "",
        "",
    ),
    ("A prediction that takes too long", "503; the worker goes on, or is replaced", "", ""),
    (
        "SIGTERM during requests",
        "Requests in progress are answered, with 503 those whose body does not come in time; exit code 0",
        "",
        "",
    ),
    ("/ping while the model loads; a corrupt model", "503 until it is loaded; the server ends with the reason", "", ""),
    ("SIGTERM during training", "What is trained is saved", "", ""),
    (
        "Data capture is denied",
        "Invocations are answered; the smoke test finds an endpoint that does not capture",
        "",
        "",
    ),
    (
        "A KMS key is disabled, or to be deleted",
        "The execution fails and names the key; production serves what it served",
        "SageMaker's own reaction to a key that is disabled under a running endpoint is not known.",
        "`aws kms disable-key` on the key of a deployed pipeline, then `aws sagemaker invoke-endpoint`",
    ),
    (
        "An image exists already, is gone, or has critical findings",
        "A commit is pushed once; an image that is gone fails before training; one with critical findings, or without a"
        " complete scan, is not deployed unless the approver gives a reason",
        "",
        "",
    ),
    ("A build fails", "The pipeline keeps the last good image", "", ""),
    ("There is no image yet", 'The execution fails early: "build the image first"', "", ""),
    ("An action or a template that is too long", "It is refused at synth, with actual and allowed size", "", ""),
    ("Names that are too long or have wrong characters", "Every name fits its service", "", ""),
    ("The partition aws-us-gov", "No ARN has a literal partition", "", ""),
    ("The partition aws-cn", "It is refused at synth", "", ""),
    (
        "A region without a built-in algorithm or an instance type",
        "The plan fails with the reason; `mlops preflight` finds instance types without a quota",
        "",
        "",
    ),
    ("Credentials of artifacts in logs", "No log and no failure contains them", "", ""),
    (
        "Destroy with buckets, images and stacks that contain something",
        "`mlops teardown` deletes what Terraform does not know, after a question",
        "",
        "",
    ),
    (
        "Somebody changes weights, counts or a stack by hand",
        "Weights and counts are kept; a model or an alarm that was deleted is made anew by the next release. Of what"
        " no release makes anew, the execution fails before training with the command that does: the endpoint, its"
        " configuration, its autoscaling, the roles, the topic",
        "",
        "",
    ),
    (
        "A wrong clock, a broken connection",
        "A clock that is wrong by a day gives up no job; a broken connection is tried again",
        "",
        "",
    ),
)

ROWS = tuple(Row(number, *row) for number, row in enumerate(_ROWS, start=1))
