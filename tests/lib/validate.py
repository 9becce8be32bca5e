# SPDX-License-Identifier: GPL-2.0-only
"""validate.py SCHEMA FILE: does FILE fit the JSON schema? Says where it does not."""
import json
import sys

import jsonschema

schema, document = (json.load(open(path)) for path in sys.argv[1:])
jsonschema.Draft202012Validator.check_schema(schema)
kind = document.get("schema")
if kind in schema["$defs"]:  # the errors of one dump, not that it fits none of three
    schema = {"$defs": schema["$defs"], "$ref": "#/$defs/" + kind}
errors = list(jsonschema.Draft202012Validator(schema).iter_errors(document))
for error in errors[:20]:
    print("/".join(map(str, error.absolute_path)), error.message[:200])
sys.exit(bool(errors))
