"""The runs page as somebody uses it: find, order, choose, group, plot, delete and restore."""

from __future__ import annotations

import io
import json
import re
import time
from pathlib import Path

from playwright.sync_api import expect

from mlflow.entities.run import Metric
from mlflow.store.artifact.locate import artifact_repository


def rows(tab):
    return tab.page.locator(".grid-row .run-name").all_inner_texts()


def test_the_table_shows_what_differs(tab, site):
    """Params with one value are one line; the others, and the metrics, are columns."""
    tab.open(f"experiments/{site.sweep}")
    tab.see("200 runs")

    # The first rows know one optimizer; it is a column when all the runs were looked at.
    expect(tab.page.locator("[data-column='params.optimizer']")).to_be_visible()
    heads = tab.page.locator(".grid-head .head-label").all_inner_texts()
    assert {"accuracy", "loss", "lr", "optimizer", "depth"} <= set(heads)
    assert "dataset" not in heads
    tab.see("dataset=imagenet-100")
    tab.see("1 running")
    tab.shot("runs")


def test_a_click_puts_the_best_first(tab, site):
    """The first click on a metric shows its best; the order is in the address."""
    tab.open(f"experiments/{site.sweep}")
    tab.see("200 runs")
    tab.page.locator("[data-column='metrics.val/accuracy'] .head-button").click()

    expect(tab.page).to_have_url(re.compile(r"sort=-metrics\.val/accuracy"))
    best = tab.page.locator(".grid-row").first.locator(".metric.best").first
    expect(best).to_be_visible()
    tab.page.locator("[data-column='metrics.val/loss'] .head-button").click()
    expect(tab.page).to_have_url(re.compile(r"sort=metrics\.val/loss"))


def test_params_are_ordered_as_numbers(tab, site):
    """0.00001 is the smallest learning rate."""
    tab.open(f"experiments/{site.sweep}?cols=params.lr")
    tab.see("200 runs")
    tab.page.locator("[data-column='params.lr'] .head-button").click()

    expect(tab.page.locator(".grid-row").first.get_by_text("0.00001", exact=True)).to_be_visible()


def test_filter_completes_and_says_what_is_wrong(tab, site):
    """Keys and values are offered; an error points at the place."""
    tab.open(f"experiments/{site.sweep}")
    tab.see("200 runs")
    line = tab.page.get_by_role("combobox", name="Filter runs")
    line.click()
    line.type("opti")
    tab.page.get_by_role("option", name=re.compile("params.optimizer")).click()
    expect(line).to_have_value(re.compile(r"params\.optimizer"))
    line.type("= ")
    tab.page.get_by_role("option", name=re.compile("adam")).click()
    line.press("Enter")
    tab.see("100 runs")

    tab.allowed = ("400",)
    line.fill("metrics.val/accuracy > > 3")
    line.press("Enter")
    told = tab.page.locator(".filter-error")
    expect(told).to_contain_text("^")
    line.fill("r50-adam")
    line.press("Enter")
    tab.see("50 runs")


def test_columns_are_chosen_moved_and_remembered(tab, site):
    """Everything on screen is in the address: a reload shows the same."""
    tab.open(f"experiments/{site.sweep}")
    tab.see("200 runs")
    tab.page.get_by_role("button", name="Columns").click()
    tab.page.get_by_role("textbox", name="Search columns").fill("dataset")
    tab.page.get_by_label("dataset").check()
    tab.page.keyboard.press("Escape")
    tab.page.reload()
    tab.see("200 runs")

    tab.page.locator("[data-column='params.lr']").hover()
    tab.page.get_by_role("button", name="Column lr").click()
    tab.page.get_by_role("menuitem", name="Pin").click()
    expect(tab.page.locator(".grid-head .grid-stay [data-column='params.lr']")).to_be_visible()
    assert "params.dataset" in tab.page.url


def test_failures_are_grouped_by_their_exception(tab, site):
    """One click: what went wrong, and how often."""
    tab.open(f"experiments/{site.sweep}")
    tab.see("10 failed")
    tab.page.get_by_role("button", name="by error").click()
    rows = tab.page.get_by_role("row")
    expect(rows.filter(has_text="ValueError")).to_contain_text("5")
    expect(rows.filter(has_text="MemoryError")).to_contain_text("5")
    tab.see("10 runs")
    tab.shot("runs-errors")


def test_the_lowest_of_a_metric(tab, site):
    """Beside the last value stands the least that a run ever had."""
    tab.open(f"experiments/{site.sweep}")
    tab.see("200 runs")
    last = tab.page.locator("[data-column^='metrics.']").first
    key = last.get_attribute("data-column").removeprefix("metrics.")
    last.hover()
    last.get_by_role("button", name="Column").click()
    tab.page.get_by_role("menuitemcheckbox", name="Show its lowest value").click()

    head = tab.page.locator(f".grid-head [data-column='lowest.{key}']")
    expect(head).to_contain_text("lowest")
    assert f"lowest.{key}" in tab.page.url
    number = tab.page.locator(".grid [role='gridcell'] .metric:not(:has(i))").first
    expect(number).to_have_text(re.compile(r"^[\d.e−]+$"))
    tab.shot("runs-lowest")


def test_values_of_a_metric_at_a_step(tab, site):
    """Runs are compared where they were alike far; the lowest of all is sorted by."""
    experiment = site.store.create_experiment("steps")
    for name, values in (("dips", (5, 1, 4)), ("falls", (5, 3, 2)), ("stops", (6,))):
        points = [Metric("loss", float(one), 1, 10 * at) for at, one in enumerate(values)]
        run_id = site.run(experiment, name, metrics=points)
        site.put(run_id, "file.bin", b"x" * 3000)
    tab.open(f"experiments/{experiment}?cols=metrics.loss,lowest.loss,attributes.artifact_size")
    tab.see("3 runs")
    head = tab.page.locator(".grid-head [data-column='metrics.loss']")
    head.hover()
    head.get_by_role("button", name="Column").click()
    tab.page.get_by_role("menuitemcheckbox", name="Show its value at a step…").click()
    tab.page.get_by_label("Step", exact=True).fill("x")
    expect(tab.page.get_by_role("button", name="Show", exact=True)).to_be_disabled()
    tab.page.get_by_label("Step", exact=True).fill("15")
    tab.page.keyboard.press("Enter")

    expect(tab.page.locator(".grid-head [data-column='at.15.loss']")).to_contain_text("at 15")
    expect(tab.page.locator(".grid-row").get_by_text("3.0 kB")).to_have_count(3)
    lowest = tab.page.locator(".grid-head [data-column='lowest.loss']")
    expect(lowest).to_contain_text("best")
    lowest.locator(".head-button").click()
    expect(tab.page.locator(".grid-row .run-name")).to_have_text(["dips", "falls", "stops"])
    values = tab.page.locator(".grid-row").first.locator(".metric b")
    expect(values).to_have_text(["4", "1", "1"])
    expect(tab.page.locator(".grid-row").last.locator(".none")).to_have_count(1)
    tab.shot("runs-at-step")


def test_what_is_new_since_the_last_visit(tab, site):
    """One line, that leads to the runs it speaks of, and goes when told to."""
    experiment = site.store.create_experiment("visited")
    now = int(time.time() * 1000)
    site.run(experiment, "seen", start=now - 9 * 3_600_000)
    for at, (name, status) in enumerate((("good", 3), ("bad", 4), ("worse", 4))):
        site.run(experiment, name, status=status, start=now - 60_000 + at)
    site.run(experiment, "quiet", status=1, start=now - 3 * 3_600_000)
    tab.open(f"experiments/{experiment}")
    tab.see("5 runs")
    expect(tab.page.locator(".news")).to_have_count(0)
    visit = json.dumps({"seen": now - 2 * 3_600_000, "since": 0})
    tab.page.goto("about:blank")
    tab.page.add_init_script(
        f"if (!sessionStorage.once) {{ sessionStorage.once = 1; "
        f"localStorage.setItem('millstream.visit.{experiment}', '{visit}') }}"
    )
    tab.open(f"experiments/{experiment}")

    line = tab.page.locator(".news")
    expect(line).to_contain_text("Since your last visit, 2h ago: 1 finished 2 failed 1 stale")
    tab.shot("runs-news")
    line.get_by_role("button", name="2 failed").click()
    expect(tab.page.locator(".grid-row .run-name")).to_have_text(["worse", "bad"])
    tab.page.get_by_role("button", name="Dismiss what is new").click()
    tab.page.reload()
    tab.see("2 runs")
    expect(line).to_have_count(0)


def test_everything_but_the_seed(tab, site):
    """Groups of seeds have a mean and a spread; the best is marked."""
    tab.open(f"experiments/{site.sweep}")
    tab.see("200 runs")
    tab.page.get_by_role("button", name="Group").click()
    tab.page.get_by_role("button", name="All params but seed").click()
    tab.page.locator("[data-column='metrics.val/accuracy'] .head-button").click()

    first = tab.page.locator(".grid-row").first
    expect(first).to_contain_text("±")
    expect(first.locator(".badge")).to_have_text("5")
    expect(first).to_contain_text("50")
    expect(first.locator(".metric.best").first).to_be_visible()
    tab.shot("groups")
    first.get_by_role("button", name=re.compile("Open the group")).click()
    expect(tab.page.locator(".grid-row .run-name")).to_have_count(5)


def test_selected_runs_are_compared(tab, site):
    """Differences only, a baseline, and a warning about the data."""
    tab.open(f"experiments/{site.wine}")
    tab.see("4 runs")
    for name in ("forest", "elastic", "forest-new-data"):
        tab.page.get_by_label(f"Select {name}", exact=True).check()
    tab.page.keyboard.press("Escape")
    tab.page.get_by_role("button", name="Compare").click()

    tab.see("Compare 3 runs")
    tab.see("different versions of wine")
    expect(tab.page.get_by_role("grid")).to_contain_text("rmse")
    expect(tab.page.locator(".better").first).to_be_visible()
    tab.shot("compare")
    tab.page.get_by_role("tab", name="Charts").click()
    expect(tab.page.locator(".bar")).to_have_count(6)


def test_seeds_are_judged(tab, site):
    """Two groups are chosen in the table; the better is named, with how sure that is."""
    tab.open(f"experiments/{site.sweep}?group=params.lr,params.depth&q=params.optimizer+=+'sgd'")
    rows = tab.page.locator(".grid-row")
    for name in ("0.01 · 50", "0.03 · 50", "0.0003 · 50"):
        rows.filter(has_text=name).get_by_title("Select the runs of this group").click()
    tab.see("15 selected")
    tab.page.get_by_role("button", name="Compare").click()
    tab.see("Compare 15 runs")
    tab.page.get_by_role("tab", name="Verdict").click()
    told = tab.page.locator(".verdict-told")
    expect(told).to_contain_text("lr=0.01 is better than 2 of 2 other settings")
    lines = tab.page.locator(".verdict tbody tr")
    expect(lines).to_have_count(3)
    expect(lines.nth(1)).to_contain_text("lr=0.03")
    expect(lines.nth(1).locator(".chip")).to_have_text("worse")
    expect(lines.nth(0)).to_contain_text("±")
    expect(tab.page.locator(".verdict .hint")).to_contain_text("97.5 %")
    tab.shot("verdict")


def test_code_and_packages_are_compared(tab, site):
    """What models need is a row each; texts that runs logged are held against each other by line."""
    experiment = site.store.create_experiment("code")
    ids = []
    for version, rate in (("1.2", "0.1"), ("1.5", "0.2")):
        run_id = site.run(experiment, f"with-{version}", metrics=[Metric("rmse", 0.5, 1, 0)])
        site.put(run_id, "model/MLmodel", "flavors: {}\n")
        site.put(run_id, "model/requirements.txt", f"scikit-learn=={version}\nnumpy\n")
        site.put(run_id, "code/train.py", f"import math\n\nrate = {rate}\nprint(rate)\n")
        ids.append(run_id)
    logged = site.store.create_logged_model(experiment, "other", ids[1])
    path = logged.artifact_location
    artifact_repository(path).log_stream(io.BytesIO(b"<b>only here</b>\n"), "notes.md")
    tab.open(f"compare?runs={','.join(ids)}")
    line = tab.page.locator(".grid-row").filter(has_text="scikit-learn")
    expect(line).to_contain_text("1.2")
    expect(line).to_contain_text("1.5")
    expect(tab.page.locator(".grid-row").filter(has_text="numpy")).to_have_count(0)
    tab.page.get_by_role("tab", name="Files").click()
    code = tab.page.get_by_role("region", name="code/train.py", exact=True)
    expect(code).to_contain_text("2 lines changed")
    expect(code.locator("tr.gone")).to_contain_text("rate = 0.1")
    expect(code.locator("tr.new")).to_contain_text("rate = 0.2")
    expect(tab.page.get_by_role("region", name="model/MLmodel", exact=True)).to_contain_text(
        "the same"
    )
    expect(tab.page.get_by_role("region", name="other/notes.md", exact=True)).to_contain_text("new")
    tab.shot("files-diff")


def test_delete_undo_restore(tab, site):
    """What was deleted comes back, at once or from the trash."""
    experiment = site.store.create_experiment("to-delete")
    for number in range(3):
        site.run(experiment, f"gone-{number}")
    tab.open(f"experiments/{experiment}")
    tab.see("3 runs")
    tab.page.get_by_label("Select gone-1").check()
    tab.page.get_by_role("button", name="Delete", exact=True).click()
    tab.see("2 runs")
    tab.page.get_by_role("button", name="Undo").click()
    tab.see("3 runs")

    tab.page.get_by_label("Select gone-2").check()
    tab.page.get_by_role("button", name="Delete", exact=True).click()
    tab.see("2 runs")
    tab.page.get_by_role("button", name="Deleted", exact=True).click()
    tab.page.get_by_label("Select gone-2").check()
    tab.page.get_by_role("button", name="Restore").click()
    tab.page.get_by_role("button", name="Active", exact=True).click()
    tab.see("3 runs")


def test_the_trash(tab, site):
    """One comes back, one goes for good; a dry run says what the rest would free."""
    experiment = site.store.create_experiment("to-throw-away")
    ids = [site.run(experiment, f"thrown-{number}") for number in range(3)]
    site.put(ids[2], "weights.bin", b"x" * 2_000_000)
    for run_id in ids:
        site.store.delete_run(run_id)
    tab.open("experiments")
    tab.page.get_by_role("link", name="Trash").click()
    expect(tab.page.get_by_role("row", name=re.compile("thrown-2"))).to_contain_text("2.0 MB")
    tab.page.get_by_label("Choose thrown-0").check()
    tab.page.get_by_role("button", name="Restore").click()
    tab.see("Restored 1 entry")
    expect(tab.page.get_by_label("Choose thrown-0")).to_have_count(0)
    assert "active" == site.store.get_run(ids[0]).info.lifecycle_stage

    tab.page.get_by_label("Choose thrown-1").check()
    tab.page.get_by_label("Choose thrown-2").check()
    tab.shot("trash")
    tab.page.get_by_role("button", name="Remove for good…").click()
    tab.see("This removes 2 runs with 2.0 MB of files")
    tab.shot("trash-removal")
    tab.page.get_by_role("button", name="Remove for good", exact=True).click()
    tab.see("Removed 2 of 2 for good")
    expect(tab.page.get_by_label("Choose thrown-2")).to_have_count(0)
    assert [] == [one for one in ids if one in site.store.list_deleted_runs()]


def test_bulk_tags(tab, site):
    """A tag on several runs is a column at once."""
    experiment = site.store.create_experiment("to-tag")
    for number in range(3):
        site.run(experiment, f"tagged-{number}")
    tab.open(f"experiments/{experiment}?cols=tags.mark")
    tab.see("3 runs")
    for number in range(2):
        tab.page.get_by_label(f"Select tagged-{number}").check()
    tab.page.get_by_role("button", name="Tag", exact=True).click()
    tab.page.get_by_label("Tag, as key=value").fill("mark=good")
    tab.page.get_by_role("button", name="Set the tag").click()

    expect(tab.page.locator(".grid-row").get_by_text("good", exact=True)).to_have_count(2)


def test_saved_views(tab, site):
    """A view is kept in the store: another browser sees it."""
    tab.open(f"experiments/{site.sweep}?q=params.depth+%3D+'50'")
    tab.see("100 runs")
    tab.page.get_by_role("button", name="Views").click()
    tab.page.get_by_role("textbox", name="Name of this view").fill("deep ones")
    tab.page.get_by_role("button", name="Save", exact=True).click()
    tab.see("Saved the view")

    tags = site.store.get_experiment(site.sweep).tags
    assert any("deep ones" in value for value in tags.values())
    tab.open(f"experiments/{site.sweep}")
    tab.see("200 runs")
    tab.page.get_by_role("button", name="Views").click()
    tab.page.get_by_role("button", name="deep ones", exact=True).click()
    tab.see("100 runs")


def test_a_frozen_link_shows_the_same_runs(tab, site):
    """Whatever is logged, changed and deleted afterwards; what is gone is told."""
    experiment = site.store.create_experiment("frozen")
    ids = [
        site.run(experiment, f"old-{at}", metrics=[Metric("loss", float(at), 1, 0)])
        for at in range(4)
    ]
    tab.open(f"experiments/{experiment}?q=metrics.loss+<+3&sort=metrics.loss")
    tab.see("3 runs")
    tab.page.get_by_role("button", name="Share").click()
    tab.page.get_by_role("menuitem", name="Copy a frozen link").click()
    tab.see("Copied a link to these 3 runs")
    link = tab.page.evaluate("navigator.clipboard.readText()")
    site.run(experiment, "new", metrics=[Metric("loss", 0.5, 1, 0)])
    site.store.log_metric(ids[0], Metric("loss", 99.0, 9, 9))
    site.store.delete_run(ids[1])

    tab.page.goto("about:blank")
    tab.page.goto(link)
    expect(tab.page.locator(".grid-row .run-name")).to_have_text(["old-1", "old-2", "old-0"])
    told = tab.page.locator(".banner.frozen")
    expect(told).to_contain_text("the 3 runs that matched then")
    expect(told).to_contain_text("Since then 1 is in the trash.")
    tab.shot("runs-frozen")
    told.get_by_role("button", name="Show what matches now").click()
    expect(tab.page.locator(".grid-row .run-name")).to_have_text(["new", "old-2"])
    tab.open(f"experiments/{experiment}?frozen=nothing")
    tab.see("This frozen link leads nowhere")


def test_a_script_is_watched(tab, site):
    """A run appears by itself, its chart grows, its end is seen; nothing is reloaded."""
    experiment = site.store.create_experiment("live")
    tab.open(f"experiments/{experiment}?layout=split")
    tab.see("No runs yet")

    run_id = site.run(experiment, "training", status=1)
    for step in range(5):
        site.store.log_metric(run_id, Metric("loss", 1.0 / (step + 1), 1, step))
    tab.see("training")
    chart = tab.page.get_by_role("article", name="Chart of loss")
    expect(chart.locator("canvas")).to_be_visible()
    tab.page.evaluate("window.__kept = 1")
    for step in range(5, 40):
        site.store.log_metric(run_id, Metric("loss", 1.0 / (step + 1), 1, step))
    site.store.update_run_info(run_id, 3, 2, None)
    cell = tab.page.locator(".grid-row").get_by_text("0.025", exact=True)
    expect(cell).to_be_visible(timeout=20_000)
    assert 1 == tab.page.evaluate("window.__kept")


def test_charts_of_the_selection(tab, site):
    """Lines of chosen runs, smoothing and axes in the address, a drag zooms."""
    tab.open(f"experiments/{site.sweep}?layout=charts")
    card = tab.page.get_by_role("article", name="Chart of val/accuracy")
    expect(card.locator("canvas")).to_be_visible()
    tab.page.get_by_role("slider", name="Smoothing").fill("0.5")
    tab.page.get_by_role("button", name="Relative").click()
    expect(tab.page).to_have_url(re.compile("smooth=0.5.*x=relative|x=relative.*smooth=0.5"))
    tab.page.get_by_role("button", name="Step", exact=True).click()
    tab.shot("charts")

    box = card.locator(".u-over").bounding_box()
    tab.page.mouse.move(box["x"] + 60, box["y"] + 40)
    tab.page.mouse.down()
    tab.page.mouse.move(box["x"] + 160, box["y"] + 40, steps=5)
    tab.page.mouse.up()
    card.get_by_role("button", name="Reset zoom").click()


def test_plots_of_all_runs(tab, site):
    """Parallel coordinates and scatter of every match, and which params matter."""
    tab.open(f"experiments/{site.sweep}?layout=charts&plot=parallel")
    tab.see("What moves val/accuracy")
    first = tab.page.locator(".weight span").first
    expect(first).to_have_text("lr")
    tab.shot("parallel")
    plot = tab.page.locator(".figure canvas")
    plot.focus()
    tab.page.keyboard.press("ArrowRight")
    tip = tab.page.locator(".figure .plot-tip")
    expect(tip).to_contain_text("r50")
    expect(tip).to_contain_text("val/accuracy")
    box = plot.bounding_box()
    # The first axis is the learning rate: its upper half holds the five greatest of ten.
    tab.page.mouse.move(box["x"] + 60, box["y"] + 40)
    tab.page.mouse.down()
    tab.page.mouse.move(box["x"] + 60, box["y"] + box["height"] / 2 + 6, steps=4)
    tab.page.mouse.up()
    expect(plot).to_have_attribute("aria-label", re.compile("coordinates of 100 runs"))
    tab.page.get_by_role("button", name="Save the chart of").click()
    with tab.page.expect_download() as download:
        tab.page.get_by_role("menuitem", name="SVG drawing").click()
    assert ">optimizer</text>" in Path(download.value.path()).read_text()
    tab.page.get_by_role("button", name="Show the table behind").click()
    expect(tab.page.locator(".figure-table tbody tr")).to_have_count(100)
    tab.page.get_by_role("button", name="Clear ranges").click()
    tab.page.get_by_role("button", name="Show more of 200 rows").click()
    tab.page.get_by_role("button", name="Show the chart of").click()
    for name, words in (
        ("Scatter", "Scatter plot of 200 runs"), ("Box", "for 10 values of lr"),
        ("Heat map", "10 values of lr and 2 of depth"), ("Contour", "between 200 runs"),
        ("Pareto", "on the Pareto front of train/loss and val/accuracy"),
    ):  # fmt: skip
        tab.page.get_by_role("button", name=name, exact=True).click()
        expect(plot).to_have_attribute("aria-label", re.compile(words))
        tab.shot(f"plot-{name.lower().replace(' ', '-')}")


def test_a_plot_is_read_without_eyes_and_kept(tab, site):
    """Arrows go from run to run, a table has them all; it is saved as a drawing, a picture, a table."""
    tab.open(f"experiments/{site.wine}?layout=charts&plot=pareto&goal=metrics.r2&py=metrics.rmse")
    tab.see("1 of 4 runs is on the front")
    tab.page.locator(".figure canvas").focus()
    tab.page.keyboard.press("ArrowRight")
    expect(tab.page.locator(".figure .plot-tip")).to_contain_text("forest-new-data")
    tab.page.get_by_role("button", name="Show the table behind").click()
    table = tab.page.locator(".figure-table tr")
    expect(table).to_have_count(5)
    expect(table.nth(1)).to_contain_text("forest-new-data0.550.45yes")
    tab.page.get_by_role("button", name="Show the chart of").click()
    for item, ending, start in (
        ("SVG drawing", ".svg", b"<svg "), ("PNG picture", ".png", b"\x89PNG"),
        ("CSV of what is drawn", ".csv", b"Run,rmse,r2"),
    ):  # fmt: skip
        tab.page.get_by_role("button", name="Save the chart of").click()
        with tab.page.expect_download() as download:
            tab.page.get_by_role("menuitem", name=item).click()
        assert download.value.suggested_filename.endswith(ending)
        assert Path(download.value.path()).read_bytes().startswith(start)
    tab.page.get_by_role("button", name="Save the chart of").click()
    tab.page.get_by_role("menuitem", name="Copy the picture").click()
    tab.see("The chart is in the clipboard")
    kinds = "navigator.clipboard.read().then(all => all[0].types.join())"
    assert "image/png" == tab.page.evaluate(kinds)


def test_metrics_are_computed_and_put_over_others(tab, site):
    """A difference of two, one over the other; the address keeps it, and says what it cannot read."""
    tab.open(f"experiments/{site.sweep}?layout=charts")
    tab.page.get_by_role("button", name="Computed metric").click()
    line = tab.page.get_by_label("Expression")
    line.fill("val/loss - nothing")
    tab.see("“nothing” is neither a metric")
    line.fill("val/loss - train/loss")
    tab.page.keyboard.press("Enter")
    card = tab.page.get_by_role("article", name="Chart of val/loss - train/loss")
    expect(card.locator("canvas")).to_be_visible()
    tab.page.reload()
    card.hover()
    card.get_by_role("button", name="Show the table behind").click()
    # The last run: 2 exp(-3 part good) less 1.8 exp(-3 part good), falling.
    cells = card.locator("td:nth-child(3)")
    expect(cells.first).to_have_text(re.compile(r"^0\.1\d+$"))

    tab.page.get_by_label("A metric as horizontal axis").select_option("val/accuracy")
    expect(tab.page).to_have_url(re.compile("x=m:val/accuracy"))
    other = tab.page.get_by_role("article", name="Chart of train/loss", exact=True)
    other.scroll_into_view_if_needed()
    other.hover()
    other.get_by_role("button", name="Save the chart of").click()
    with tab.page.expect_download() as download:
        tab.page.get_by_role("menuitem", name="SVG drawing").click()
    text = Path(download.value.path()).read_text()
    assert ">val/accuracy</text>" in text
    assert "NaN" not in text
    tab.shot("charts-over")


def test_groups_have_bands(tab, site):
    """The seeds of each setting are one line with its spread."""
    tab.open(f"experiments/{site.sweep}?layout=charts&group=params.depth,params.optimizer")
    tab.see("Mean ± sd of the first 4 groups")
    card = tab.page.get_by_role("article", name="Chart of val/accuracy")
    expect(card).to_contain_text("mean ± sd")
    expect(card.locator("canvas")).to_be_visible()
    card.hover()
    card.get_by_role("button", name="Show the table behind").click()
    expect(card.locator("th").last).to_have_text("± sd")
    expect(card.locator("tbody tr").first).to_contain_text("(25)")
    card.get_by_role("button", name="Show the chart of").click()
    tab.shot("bands")


def test_the_keyboard_is_enough(tab, site):
    """Move, choose, compare and go elsewhere without a mouse."""
    tab.open(f"experiments/{site.wine}")
    tab.see("4 runs")
    tab.page.get_by_role("grid").focus()
    for key in ("ArrowDown", "x", "ArrowDown", "x"):
        tab.page.keyboard.press(key)
    tab.see("2 selected")
    tab.page.keyboard.press("c")
    tab.see("Compare 2 runs")
    tab.page.keyboard.press("Control+k")
    tab.page.keyboard.type("vision")
    tab.page.keyboard.press("Enter")
    tab.see("200 runs")
    tab.page.keyboard.press("?")
    tab.see("Compare the selected runs")


def test_several_experiments_at_once(tab, site):
    """The experiment is a column."""
    tab.open(f"experiments/{site.wine},{site.sweep}")
    tab.see("204 runs")
    tab.see("2 experiments")
    expect(tab.page.locator("[data-column='attributes.experiment_id']")).to_be_visible()


def test_nested_runs(tab, site):
    """Children stand below their parent until a filter or an order says otherwise."""
    experiment = site.store.create_experiment("nested")
    parent = site.run(experiment, "search")
    for number in range(3):
        site.run(
            experiment, f"trial-{number}", metrics=[Metric("loss", 0.1 * number, 1, 0)],
            tags={"mlflow.parentRunId": parent}, start=int(time.time() * 1000) - 9000 + number,
        )  # fmt: skip
    site.run(experiment, "orphan", tags={"mlflow.parentRunId": "f" * 32})
    tab.open(f"experiments/{experiment}")
    expect(tab.page.locator(".grid-row .run-name")).to_have_text(["orphan", "search"])
    best = tab.page.locator(".nested-best")
    expect(best).to_have_text(["↳ 0"])
    expect(best).to_have_attribute("title", re.compile("trial-0"))
    tab.page.get_by_role("button", name="Open the runs nested in search").click()
    expect(tab.page.locator(".grid-row .run-name")).to_have_text(
        ["orphan", "search", "trial-2", "trial-1", "trial-0"]
    )
    tab.shot("nested")
    tab.page.locator("[data-column='metrics.loss'] .head-button").click()
    expect(tab.page.locator(".grid-row .run-name").first).to_have_text("trial-0")


def test_best_of_two_hundred_in_eight_clicks(tab, site):
    """200 runs, 12 params, 5 seeds: the best group, why it is best, registered with an alias."""
    clicks = 0

    def click(locator):
        nonlocal clicks
        clicks += 1
        locator.click()

    best = site.store.search_runs([site.sweep], "params.lr = '0.01' AND params.depth = '50'", 1, 50)
    for run in best:
        if not site.store.search_logged_models(
            [site.sweep], f"source_run_id = '{run.info.run_id}'"
        ):
            site.store.create_logged_model(site.sweep, "model", run.info.run_id)
            site.put(run.info.run_id, "model/MLmodel", "flavors: {}\n")
    tab.open(f"experiments/{site.sweep}")
    tab.see("200 runs")
    click(tab.page.get_by_role("button", name="Group"))
    click(tab.page.get_by_role("button", name="All params but seed"))
    click(tab.page.locator("[data-column='metrics.val/accuracy'] .head-button"))
    first = tab.page.locator(".grid-row").first
    expect(first.locator(".metric.best").first).to_be_visible()
    expect(first).to_contain_text("0.01")
    click(first.get_by_role("button", name=re.compile("Open the group")))
    click(tab.page.locator(".grid-row .run-name").first)
    click(tab.page.get_by_role("button", name="Register").first)
    tab.page.get_by_label(re.compile("Name of the model")).fill("best-of-sweep")
    tab.page.get_by_label(re.compile("Alias")).fill("champion")
    tab.page.keyboard.press("Enter")
    tab.see("Version 1")

    assert clicks <= 8
    until = time.monotonic() + 20
    # The alias is set after the version was made, which is what the page tells first.
    while "champion" not in site.store.get_registered_model("best-of-sweep").aliases:
        assert time.monotonic() < until
        time.sleep(0.02)
    version = site.store.get_model_version_by_alias("best-of-sweep", "champion")
    params = site.store.get_run(version.run_id).data.params
    assert ("0.01", "50") == (params["lr"], params["depth"])
