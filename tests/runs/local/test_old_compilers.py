"""Pipelines that older versions of KFP's SDK compiled."""

from pathlib import Path

import yaml
from local_runs import submission, text, wait

from kfnb.resources.runs.local.environment import _installed_kfp

OLD = Path(__file__).parent / "data" / "pipeline-kfp-2.0.yaml"
"""Compiled by KFP 2.0.1, whose steps install it with all that it needs."""


def test_a_pipeline_of_kfp_2_0_runs_with_the_kfp_that_is_here(backend, tmp_path):
    spec = yaml.safe_load(OLD.read_text())
    assert spec["sdkVersion"] == "kfp-2.0.1"

    run_id = backend.submit(submission(spec, tmp_path))
    run = wait(backend, run_id)

    assert run.result == {"Output": 2 + 4 + 6 + 2}, run.error
    log = text(backend, run_id)
    said = f"kfp==2.0.1 is not installed: kfp=={_installed_kfp()} is present, and runs steps of every KFP 2"
    assert log.count(said) == 1
    assert "the run is COMPLETE" in log
    assert not (tmp_path / "home" / "envs").exists()
