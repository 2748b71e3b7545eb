"""``kfnb ui`` in a real browser: a run is live there, and is stopped by its button."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

import kfnb
from tests.web.server import kfnb_ui


@pytest.fixture
def pages(shell):
    with kfnb_ui() as found:
        yield found


def test_a_run_is_live_and_its_buttons_work(shell, pages, page, tmp_path):
    shell.run("%%kf_component first\na = 1")
    shell.run(
        "%%kf_component wait\nimport os, time\nb = a\nif 'KFNB_TEST_WAIT' in os.environ: time.sleep(300)"
    )
    shell.run("%kf_pipeline slow first wait")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KFNB_TEST_WAIT", "1")
        run = kfnb.submit("slow")

    page.goto(pages.address)
    expect(page).to_have_url(f"http://{pages.host}/")
    page.locator("section").get_by_role("link", name=run.id).click()
    live = page.locator("[data-kfnb-type=run] [data-kfnb-live]")
    expect(live.get_by_role("treeitem", name="first. Succeeded")).to_be_visible()
    expect(live.get_by_role("treeitem", name="wait. Running")).to_be_visible()
    live.get_by_role("button", name="Stop", exact=True).click()
    live.get_by_role("button", name="Stop the run?").click()
    expect(live.locator(".pill")).to_have_text("Canceled")
    assert run.state == "CANCELED"
    page.screenshot(path=str(tmp_path / "run.png"))
