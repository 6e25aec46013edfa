"""Values that the schema can't express: our own formats, valid credentials, and a body's id that equals the path's. Only valid
requests are changed; intentionally invalid ones are left as they are."""

import collections
import itertools
import json
import os
import re
from urllib.parse import parse_qsl, urlsplit

import schemathesis
from hypothesis import strategies as st
from schemathesis.core.failures import AcceptedNegativeData

# The description's example of an address, and the demo customer's.
EXAMPLE = "john@example.com"
# The id of no record.
NOBODY = "0000000000"

times = st.datetimes().map(lambda time: time.isoformat(timespec="milliseconds") + "Z")
dates = st.dates().map(lambda date: date.isoformat())
words = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=10)
objects = st.dictionaries(words, words | st.integers() | st.booleans() | st.none(), max_size=3)

schemathesis.openapi.format("cursor", st.just(""))
schemathesis.openapi.format("times", st.lists(times | dates, min_size=1, max_size=3).map(",".join))
schemathesis.openapi.format("json-object", objects.map(json.dumps))


numbers = itertools.count(1)
# Of each operation, whatever others are called in between.
turns = collections.defaultdict(lambda: itertools.count(1))


@schemathesis.hook
def before_call(context, case, kwargs):
    # Without the demo customer, every reset would be refused for that alone.
    if case.method in ("PATCH", "DELETE") and (case.path_parameters or {}).get("id") == os.environ["CUSTOMER_ID"]:
        case.path_parameters["id"] = NOBODY
    if not (case.meta and case.meta.generation.mode.is_positive and isinstance(case.body, dict)):
        return
    if case.path.startswith("/oauth/"):
        case.body = credentials(case.body)
    elif isinstance(data := case.body.get("data"), dict):
        if "id" in data and case.path_parameters:
            data["id"] = case.path_parameters["id"]
        turn = next(turns[case.method, case.path])
        # Generated keys are short and repeat, and a key that was used for another request is refused.
        if case.headers and "Idempotency-Key" in case.headers and turn % 2:
            case.headers["Idempotency-Key"] = f"key-{next(numbers)}"
        if isinstance(data.get("attributes"), dict):
            write(case.path, data["attributes"], turn)


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Ignores accepted requests whose mutation has no effect: a mutated schema of a parameter may lead to a request without that
    parameter, which is valid."""
    mutations = getattr(case.meta.phase.data, "mutations", None)
    if not isinstance(failure, AcceptedNegativeData) or not mutations:
        return True
    sent = parse_qsl(urlsplit(response.request.url).query, keep_blank_values=True)
    return any(is_sent(mutation, sent, case.operation.query) for mutation in mutations)


def is_sent(mutation, sent, parameters):
    """Whether the mutation is visible in the query. One of an unknown parameter counts as visible, a list that is written like an
    empty one does not."""
    pointer = mutation.schema_pointer.split("/", 4)
    parameter = parameters.get(pointer[2]) if pointer[1:2] == ["properties"] else None
    if parameter is None:
        return True
    members = {name[len(parameter.name) + 1 : -1]: text for name, text in sent if name.startswith(f"{parameter.name}[")}
    schema = parameter.definition["schema"]
    if schema.get("type") == "array":
        return any(name == parameter.name and text for name, text in sent)
    if pointer[3:4] == ["properties"]:
        # Empty is right in our own formats.
        text = members.get(pointer[4].partition("/")[0])
        return text is not None and (text != "" or mutation.keywords != ("format",))
    if pointer[3:4] == ["patternProperties"]:
        pattern = pointer[4].partition("$")[0] + "$"
        return any(re.search(pattern, member) for member in members)
    if mutation.keywords == ("additionalProperties",):
        patterns = schema.get("patternProperties", {})
        known = [member in schema.get("properties", {}) or any(re.search(p, member) for p in patterns) for member in members]
        return not all(known)
    return True


def write(path, attributes, turn):
    """Replaces values that are valid by the schema and still refused: taken addresses, weak passwords, resets without a customer,
    invalid tokens, cancellations of what was not requested, addresses that are no receivers. Some requests keep them, to test the refusals."""
    if path.startswith("/api/webhooks") and turn % 4:
        webhook(attributes)
    if path.startswith("/api/customers") and "email" in attributes and (turn % 2 or attributes["email"] == EXAMPLE):
        attributes["email"] = f"{next(numbers)}@example.com"
    if path.startswith("/api/customers") and turn % 2:
        attributes.pop("password", None)
    if path.startswith("/api/customers/") and turn % 4:
        attributes.pop("_cancel_anonymization", None)
    if path == "/api/customer_password_resets" and turn % 4:
        attributes["customer_email"] = EXAMPLE
    if path.startswith("/api/customer_password_resets/") and turn % 4:
        attributes.pop("customer_password", None)
        attributes.pop("_reset_password_token", None)


def webhook(attributes):
    number = next(numbers)
    # A topic without events here: nothing is sent.
    valid = {"topic": "customers.restore_email", "callback_url": f"https://receiver.example/{number}", "name": f"webhook {number}"}
    attributes.update({name: value for name, value in valid.items() if name in attributes})
    for name in ("include_resources", "_enable"):
        attributes.pop(name, None)


def credentials(body):
    """Sets the credentials of a client that may use the grant; every other log-in is the demo customer's."""
    body = dict(body)
    if body.get("grant_type") == "client_credentials":
        return body | {"client_id": os.environ["CLIENT_ID"], "client_secret": os.environ["CLIENT_SECRET"]}
    body["client_id"] = os.environ["SALES_CLIENT_ID"]
    if body.get("grant_type") == "password" and next(numbers) % 2 == 0:
        body |= {"username": EXAMPLE, "password": "correct horse battery"}
    return body
