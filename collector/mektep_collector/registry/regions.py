"""The 20 regions of Kazakhstan by ISO 3166-2, since June 2022, and the codes that they had before."""

REGIONS: dict[str, str] = {
    "KZ-10": "Abai Region",
    "KZ-11": "Akmola",
    "KZ-15": "Aktobe",
    "KZ-19": "Almaty Region",
    "KZ-23": "Atyrau",
    "KZ-27": "West Kazakhstan",
    "KZ-31": "Zhambyl",
    "KZ-33": "Zhetisu",
    "KZ-35": "Karaganda",
    "KZ-39": "Kostanay",
    "KZ-43": "Kyzylorda",
    "KZ-47": "Mangystau",
    "KZ-55": "Pavlodar",
    "KZ-59": "North Kazakhstan",
    "KZ-61": "Turkistan",
    "KZ-62": "Ulytau",
    "KZ-63": "East Kazakhstan",
    "KZ-71": "Astana",
    "KZ-75": "Almaty",
    "KZ-79": "Shymkent",
}
"""A region's name in English by its code. A region is known by its code alone: two of them are called Almaty."""

FORMER_REGIONS: dict[str, tuple[str, ...]] = {
    "KZ-AKM": ("KZ-11",),
    "KZ-AKT": ("KZ-15",),
    "KZ-ALA": ("KZ-75",),
    "KZ-ALM": ("KZ-19", "KZ-33"),
    "KZ-AST": ("KZ-71",),
    "KZ-ATY": ("KZ-23",),
    "KZ-KAR": ("KZ-35", "KZ-62"),
    "KZ-KUS": ("KZ-39",),
    "KZ-KZY": ("KZ-43",),
    "KZ-MAN": ("KZ-47",),
    "KZ-PAV": ("KZ-55",),
    "KZ-SEV": ("KZ-59",),
    "KZ-SHY": ("KZ-79",),
    "KZ-VOS": ("KZ-63", "KZ-10"),
    "KZ-YUZ": ("KZ-61",),
    "KZ-ZAP": ("KZ-27",),
    "KZ-ZHA": ("KZ-31",),
}
"""What became of each code from before June 2022: three regions were divided, so three codes have two heirs."""
