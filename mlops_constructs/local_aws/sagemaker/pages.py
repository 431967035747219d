"""Pages of SageMaker's lists: 10 entries unless a request says otherwise, as in AWS.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListEndpoints.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_constructs.local_aws.service import AwsError, Params

if TYPE_CHECKING:
    from collections.abc import Sequence

_DEFAULT_PAGE = 10


def page_of(member: str, found: Sequence[Params], params: Params) -> Params:
    """Return the page that a request asks for, with the token of the next one where there is one.

    Raises:
        AwsError: ValidationException for a token that no response contained.
    """
    token = params.get("NextToken", "0")
    if not token.isdigit():
        raise AwsError("ValidationException", "The pagination token is invalid.")
    first, size = int(token), params.get("MaxResults", _DEFAULT_PAGE)
    after = {"NextToken": str(first + size)} if first + size < len(found) else {}
    return {member: list(found[first : first + size]), **after}
