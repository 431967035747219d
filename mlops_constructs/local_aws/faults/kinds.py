"""The kinds of faults, by name."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.faults.errors import FaultError
from mlops_constructs.local_aws.faults.fault import CHANCE, NTH, TIMES, WHEN, Fault
from mlops_constructs.local_aws.faults.model import Operation
from mlops_constructs.local_aws.faults.on_calls import ANYONE, Delay, Kill, Lose, Refuse, TwiceCall
from mlops_constructs.local_aws.faults.on_events import Clock, Drop, Reorder, TwiceEvent, TwiceFunction
from mlops_constructs.local_aws.faults.on_programs import KINDS as PROGRAMS
from mlops_constructs.local_aws.faults.on_programs import WAYS, Crash
from mlops_constructs.local_aws.faults.on_things import Alarm, Damage, Delete, Key, Queue, Quota, StackState, Time
from mlops_constructs.local_aws.faults.spec import Parameter, at_least, choice, duration, read_values, seconds, split
from mlops_constructs.local_aws.faults.stored import DELETERS
from mlops_constructs.local_aws.faults.values import quota, skew, stack_state

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from random import Random


@dataclass(frozen=True)
class Kind:
    """A kind of fault.

    Attributes:
        summary: What happens, in one line.
        example: A fault of this kind.
        make: Makes one, from its text, its values and the source of its random numbers.
        arguments: What must be given, in this order.
        options: What may be given, as ``NAME=VALUE``.
    """

    summary: str
    example: str
    make: Callable[[str, dict[str, Any], Random], Fault]
    arguments: tuple[Parameter, ...]
    options: tuple[Parameter, ...] = ()

    def usage(self, name: str) -> str:
        """Return how it is written."""
        arguments = "".join(f":{one.name.upper()}" for one in self.arguments)
        return name + arguments + "".join(f"[:{one.name}=]" for one in self.options)


_OPERATION = Parameter("operation", "SERVICE.OPERATION, such as sagemaker.CreateTrainingJob", Operation.parse)
_CALLER = Parameter("caller", "function or role whose calls are meant; all by default", default=ANYONE)
_CALLS = (*WHEN, _CALLER)
_EVENT = Parameter("event", "detail type or source, such as 'Object Created'; * for a part of it")
_FUNCTION = Parameter("function", "function, or a part of its name between hyphens")
_NAME = Parameter("name", "its name, a part of it between hyphens, or a pattern with *")
_MOMENT = (
    Parameter("at", "action of a pipeline that starts, or now", default=""),
    Parameter("before", "call of a role", Operation.parse, None),
    Parameter("after", "call of a role", Operation.parse, None),
    NTH,
    TIMES,
    CHANCE,
)

KINDS: Mapping[str, Kind] = {
    "refuse": Kind(
        "an operation returns an error code; nothing is done",
        "refuse:sagemaker.CreateTrainingJob:ThrottlingException:times=2",
        Refuse,
        (_OPERATION, Parameter("code", "error code that this operation may return")),
        _CALLS,
    ),
    "lose": Kind(
        "an operation is done, but its caller reads an error 500 or a cut connection",
        "lose:sagemaker.CreateModelPackage:how=cut",
        Lose,
        (_OPERATION,),
        (Parameter("how", "500 or cut", choice("500", "cut"), "500"), *_CALLS),
    ),
    "delay": Kind(
        "an operation is answered late",
        "delay:sagemaker.DescribeEndpoint:seconds=3",
        Delay,
        (_OPERATION,),
        (Parameter("seconds", "how late", seconds, 5.0), *_CALLS),
    ),
    "twice": Kind(
        "the network delivers a request of an operation twice",
        "twice:s3.PutObject:caller=record-release",
        TwiceCall,
        (_OPERATION,),
        _CALLS,
    ),
    "twice-event": Kind(
        "EventBridge delivers an event twice", "twice-event:Object Created", TwiceEvent, (_EVENT,), WHEN
    ),
    "twice-function": Kind(
        "a function gets an asynchronous event twice, at the same moment",
        "twice-function:train_model:times=99",
        TwiceFunction,
        (_FUNCTION,),
        WHEN,
    ),
    "drop": Kind("an event is lost", "drop:Object Created", Drop, (_EVENT,), WHEN),
    "reorder": Kind(
        "an event comes after the next one of its kind", "reorder:Object Created", Reorder, (_EVENT,), WHEN
    ),
    "kill": Kind(
        "the process of a function gets SIGKILL before or after one of its calls",
        "kill:train_model:after=CreateTrainingJob",
        Kill,
        (_FUNCTION,),
        (
            Parameter("before", "operation", Operation.parse, None),
            Parameter("after", "operation", Operation.parse, None),
            *WHEN,
        ),
    ),
    "crash": Kind(
        f"a program ({', '.join(PROGRAMS)}) ends: by SIGKILL, for want of memory or disk, by a spot interruption",
        "crash:training:how=memory:after=0.5",
        Crash,
        (Parameter("program", " or ".join(PROGRAMS), choice(*PROGRAMS)),),
        (
            Parameter("how", ", ".join(WAYS), choice(*WAYS), "kill"),
            Parameter("after", "seconds after its start", seconds, 0.0),
            Parameter("name", "job, endpoint or build; all by default", default=ANYONE),
            *WHEN,
        ),
    ),
    "delete": Kind(
        f"somebody deletes a thing: {', '.join(DELETERS)}",
        "delete:endpoint:production:at=DeployProduction",
        Delete,
        (Parameter("kind", " or ".join(DELETERS), choice(*DELETERS)), _NAME),
        _MOMENT,
    ),
    "damage": Kind(
        "the newest object of a name gets a damaged version",
        "damage:model.tar.gz:how=truncate:at=Approve",
        Damage,
        (_NAME,),
        (
            Parameter(
                "how", "flip, truncate, garbage or empty", choice("flip", "truncate", "garbage", "empty"), "flip"
            ),
            *_MOMENT,
        ),
    ),
    "key": Kind(
        "a KMS key is disabled, or its deletion is scheduled",
        "key:artifacts:state=disabled:at=Train",
        Key,
        (_NAME,),
        (
            Parameter("state", "disabled or pending-deletion", choice("disabled", "pending-deletion"), "disabled"),
            *_MOMENT,
        ),
    ),
    "queue": Kind(
        "a queue refuses every message",
        "queue:dead-letters:at=Train",
        Queue,
        (_NAME,),
        _MOMENT,
    ),
    "stack": Kind(
        "a CloudFormation stack is in a state that it does not leave by itself",
        "stack:production:UPDATE_ROLLBACK_FAILED:at=Approve",
        StackState,
        (_NAME, Parameter("state", "state of a stack", stack_state)),
        _MOMENT,
    ),
    "quota": Kind(
        "a quota of SageMaker is too low",
        "quota:ml.m5.large for training job usage:0",
        Quota,
        (Parameter("name", "name of the quota", quota), Parameter("value", "instances", at_least(0))),
    ),
    "alarm": Kind(
        "an alarm that can roll an endpoint back rings while its new fleet is watched",
        "alarm:production-ServerErrors",
        Alarm,
        (Parameter("name", "alarm"),),
        (Parameter("endpoint", "endpoint that is updated; any by default", default=ANYONE), *WHEN),
    ),
    "time": Kind(
        "the time of the whole account passes, and all that is due by then happens",
        "time:7d:at=Approve",
        Time,
        (Parameter("time", "days, hours, minutes and seconds, such as 7d or 1d12h", duration),),
        _MOMENT,
    ),
    "clock": Kind(
        "the clock of functions is wrong: ahead of the account's, or behind it",
        "clock:86400",
        Clock,
        (Parameter("seconds", "how far", skew),),
        (Parameter("function", "function; all by default", default=ANYONE),),
    ),
}


def make_fault(text: str, given: Sequence[object], named: Mapping[str, object], random: Random) -> Fault:
    """Make a fault from its text, and from arguments and options beside it.

    Raises:
        FaultError: when there is no such fault, or AWS cannot have it.
    """
    name, texts = split(text)
    if name not in KINDS:
        close = difflib.get_close_matches(name, KINDS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else "there are:"
        raise FaultError(f"there is no fault {name!r}; {hint}\n{described()}")
    kind = KINDS[name]
    texts += [str(one) for one in given]
    try:
        values = read_values(name, kind.arguments, kind.options, texts, named)
        if name == "refuse":
            values["operation"].status_of(values["code"])
    except FaultError as error:
        raise FaultError(f"{error}\n  usage:   {kind.usage(name)}\n  example: {kind.example}") from None
    whole = ":".join([name, *texts, *(f"{key}={value}" for key, value in named.items())])
    return kind.make(whole, values, random)


def described() -> str:
    """Return the list of all faults, one line each."""
    width = max(len(name) for name in KINDS)
    lines = [f"  {name:{width}}  {kind.summary}; such as {kind.example}" for name, kind in KINDS.items()]
    return "\n".join(lines)
