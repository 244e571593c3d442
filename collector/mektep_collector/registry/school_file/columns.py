"""The columns of the file, and the fields that they fill."""

COLUMNS = (
    "school_id",
    "name",
    "region",
    "district",
    "time_zone",
    "pupils",
    "places",
    "technology",
    "provider",
    "contract_download_mbps",
    "contract_upload_mbps",
    "contract_from",
    "norm_mbps",
)
"""All of them, in the order of the example; a file may order them otherwise."""

REQUIRED_COLUMNS = ("school_id", "name", "region")
"""No file is without these. Any other that is left out leaves its field as it was."""

FIELDS: dict[str, str] = {
    "name": "name",
    "region": "region",
    "district": "district",
    "time_zone": "time_zone",
    "pupils": "pupils_count",
    "places": "places_count",
    "technology": "technology",
    "norm_mbps": "norm_mbps",
}
"""The fields of `School`, `id` and `commitment` apart, by their columns."""

CONTRACT_COLUMNS: dict[str, str] = {
    "provider": "provider",
    "contract_download_mbps": "download_mbps",
    "contract_upload_mbps": "upload_mbps",
    "contract_from": "valid_from",
}
"""The fields of `Commitment` by their columns. They are all filled, or all empty."""
