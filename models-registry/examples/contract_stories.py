"""Each contract of the library at work: `make demo-contracts`.

Everything happens on a chain in this process, with the digit models of the package; each step
prints its gas and its outcome. Run it from the repository's root.
"""

import argparse

from rich.console import Console

from cvm.numba_cache import configure_numba_cache

configure_numba_cache()

# The cache folder must be named before a module with kernels is imported.
from examples.callback_story import call_back  # noqa: E402
from examples.dev_chain import dev_chain  # noqa: E402
from examples.escrow_story import judge  # noqa: E402
from examples.measuring_stories import begin, compete, route, sell  # noqa: E402
from examples.story import Story  # noqa: E402


def tell_all(console: Console, backend: str) -> Story:
    """Tell every story on one chain; raises `StoryFailed` where a contract does not do its part."""
    with dev_chain(backend) as chain:
        story = Story(chain, console)
        measuring = begin(story)
        call_back(story, measuring)
        route(story, measuring)
        compete(story, measuring)
        judge(story, measuring)
        sell(story, measuring)
        story.title(f"{story.steps} steps in {chain.height} blocks, as they must be")
    return story


def main(arguments: list[str] | None = None) -> None:
    """Tell the stories in the terminal."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--backend", default="cpu", help="reference, cpu or cuda")
    tell_all(Console(highlight=False), parser.parse_args(arguments).backend)


if __name__ == "__main__":
    main()
