"""`python -m client`: the command `jobs`."""

from client.cli.commands import run

if __name__ == "__main__":
    run()
