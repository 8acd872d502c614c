"""Manifests: those that are here are understood, and what is not understood is refused."""

from pathlib import Path

import pytest

from tests.testnets.manifest import BadManifest, Kind, load_manifest, manifests_in

HERE = Path(__file__).parent
PLAIN = 'about = "four"\nvalidators = 4\nblocks = 5\n'


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in manifests_in(HERE)])
def test_a_manifest_that_is_here_is_understood(path: Path) -> None:
    assert load_manifest(path).name == path.stem


def test_a_perturbation_is_read_with_its_time_and_duration(tmp_path: Path) -> None:
    path = tmp_path / "one.toml"
    entry = '{ kind = "pause", nodes = ["validator-3"], after_s = 1.5, for_s = 6 }'
    path.write_text(f"{PLAIN}perturbations = [{entry}]\n")
    [found] = load_manifest(path).perturbations
    assert (found.kind, found.nodes) == (Kind.PAUSE, ("validator-3",))
    assert (found.after_s, found.for_s) == (1.5, 6.0)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("about = 1\nvalidators =", "Invalid value", id="not TOML"),
        pytest.param(PLAIN + "color = 3\n", "nobody reads color", id="an unknown key"),
        pytest.param('about = ""\nblocks = 1\n', "validators", id="a missing key"),
        pytest.param(
            PLAIN + 'late = [{ node = "node-0", at_height = 3 }]\n',
            "there is no node-0",
            id="an unknown node",
        ),
        pytest.param(
            PLAIN + 'byzantine = { node = "validator-0", behaviour = "sulk" }\n',
            "behaviour 'sulk'",
            id="an unknown behaviour",
        ),
        pytest.param(
            PLAIN + 'perturbations = [{ kind = "bend", nodes = ["validator-0"], for_s = 1 }]\n',
            "'bend' is not a valid Kind",
            id="an unknown perturbation",
        ),
        pytest.param(
            PLAIN + "load = { inferences_per_s = 1 }\n",
            "inference transactions need a model",
            id="inferences without a model",
        ),
    ],
)
def test_what_is_not_understood_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(BadManifest, match=reason):
        load_manifest(path)
