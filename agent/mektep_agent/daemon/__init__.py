"""The agent at work: measures by the agenda, keeps, sends, and goes on through bugs and bad links.

`python -m mektep_agent.daemon ORDER` runs it, ORDER being a `RunOrder` as JSON; `mektep-agent run` does so. Everything
heavy (HTTP, cryptography, holidays, the command line) lives in other processes: this one stays small for months.
"""
