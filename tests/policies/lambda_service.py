"""What Lambda itself does with a function's role, by the triggers that app.py declares."""

from emulation.worker import Declared
from tests.policies.iam import ACCOUNT, REGION, Permission, Used
from tests.policies.translation import queue_arn

# Lambda polls in the function's name (Lambda's guide, "Creating an Amazon SQS event source mapping").
POLLING = ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage")
# The managed policy AWSLambdaBasicExecutionRole, for the function's own log group instead of for all.
LOGGING = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")


def used_by_lambda(function: str, declared: Declared, *, name: str) -> Used:
    """What it takes to wake the function by its queues, and to keep its log under its name in Lambda.

    The service asks for `log-group:{group}:log-stream:{stream}` even when it is the group that is made, and
    there is no stream yet.
    """
    queues = [queue_arn(each.queue) for each in declared.queues if each.function == function]
    log = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/{name}:*"
    return {
        **{Permission(action, queue): {"Lambda's polling"} for queue in queues for action in POLLING},
        **{Permission(action, log): {"Lambda's log"} for action in LOGGING},
    }
