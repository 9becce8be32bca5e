# SPDX-License-Identifier: GPL-2.0-only
"""validate.py SCHEMA FILE: does FILE fit the JSON schema? Says where it does not.

Of lists with more than 256 elements the first and last 128 are looked at: the middle of a map of thousands of entries is
written by the same code, and the validator takes seconds for it."""
import json
import sys

import jsonschema



def ends_of_lists(value):
    if isinstance(value, dict):
        return {key: ends_of_lists(item) for key, item in value.items()}
    if isinstance(value, list):
        return [ends_of_lists(item) for item in (value if len(value) <= 256 else value[:128] + value[-128:])]
    return value


schema, document = (json.load(open(path)) for path in sys.argv[1:])
jsonschema.Draft202012Validator.check_schema(schema)
kind = document.get("schema")
if kind in schema["$defs"]:  # the errors of one dump, not that it fits none of three
    schema = {"$defs": schema["$defs"], "$ref": "#/$defs/" + kind}
errors = list(jsonschema.Draft202012Validator(schema).iter_errors(ends_of_lists(document)))
for error in errors[:20]:
    print("/".join(map(str, error.absolute_path)), error.message[:200])
sys.exit(bool(errors))
