"""The figures of testnets are kept, each beside those of the others of its day."""

import json
from pathlib import Path

from tests.testnets.__main__ import write_result
from tests.testnets.scenario import Recovery, Report


def test_a_run_of_one_testnet_keeps_the_figures_of_the_others(tmp_path: Path) -> None:
    write_result(tmp_path, Report("kill", blocks=9, recoveries=[Recovery("kill one", 2.5, 1.5)]))
    write_result(tmp_path, Report("steady", blocks=20, faults=["two hashes at height 3"]))
    write_result(tmp_path, Report("steady", blocks=21))
    (path,) = tmp_path.iterdir()
    found = json.loads(path.read_text())
    assert {name: (each["blocks"], each["passed"]) for name, each in found.items()} == {
        "kill": (9, True),
        "steady": (21, True),
    }
    assert found["kill"]["recoveries"] == [{"what": "kill one", "back_s": 2.5, "progress_s": 1.5}]
    write_result(tmp_path, Report("kill", faults=["no block"]))
    assert json.loads(path.read_text())["kill"]["passed"] is False
