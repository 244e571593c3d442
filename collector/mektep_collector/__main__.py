"""`python -m mektep_collector`: the same as `mektep-collector`."""

from mektep_collector.cli import main

if __name__ == "__main__":
    main()
