"""Run both services in the foreground: `python flows/emulator/__main__.py --port 8900 --demo`."""

import argparse
import contextlib
import sys
import threading
from pathlib import Path

FLOWS = str(Path(__file__).resolve().parents[1])
if FLOWS not in sys.path:
    # Run as a file, the first entry is this folder, where no import should look.
    sys.path[0] = FLOWS

from emulator import Emulator  # noqa: E402


def main() -> None:
    """Start, print the settings as .env lines, and serve until interrupted."""
    parser = argparse.ArgumentParser(
        "flows/emulator/__main__.py", description="Airtable and Trello on localhost; stop with Ctrl-C."
    )
    parser.add_argument("--port", type=int, default=8900, help="loopback port (0 takes a free one)")
    parser.add_argument("--demo", action="store_true", help="start with a dozen believable leads")
    parser.add_argument("--strict", action="store_true", help="enforce the rate limits of both services")
    parser.add_argument("--seed", type=int, default=0, help="start of all ids; equal ones are the same after a restart")
    options = parser.parse_args()
    emulator = Emulator(port=options.port, strict=options.strict, seed=options.seed)
    if options.demo:
        emulator.load_demo()
    with contextlib.suppress(KeyboardInterrupt), emulator:
        print(f"# Airtable and Trello answer at {emulator.url} until Ctrl-C, to whoever brings these:")
        print("\n".join(f"{name}={value}" for name, value in emulator.settings().items()), flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
