"""How routes describe themselves in the OpenAPI document: bodies by the wire's own schemas, errors as problems."""

from mektep_wire.problem import PROBLEM_MEDIA_TYPE

DEVICE_TOKEN: list[dict[str, list[str]]] = [{"deviceToken": []}]
"""Security requirement: the bearer token of a device."""


REGISTER_AWAY = "The register cannot be used at the moment; Retry-After says when to try again"
"""What 503 says where a request needs the register."""


def wire_content(name: str) -> dict[str, object]:
    """Return the content of a JSON body of one wire type."""
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


def problem_response(description: str) -> dict[str, object]:
    """Return the description of an answer that is a problem."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {PROBLEM_MEDIA_TYPE: {"schema": schema}}}
