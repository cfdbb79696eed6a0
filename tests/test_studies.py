import json
from pathlib import Path

import pytest

from benchmarks.harness import RESULTS, Json, read_json
from benchmarks.studies.__main__ import STUDIES, chosen_trials, main
from benchmarks.studies.architectures import ARCHITECTURES, pareto_front
from benchmarks.studies.extras import EXTRAS
from benchmarks.studies.network_cost import describe_network
from benchmarks.studies.study import Trial, as_markdown, errors, folder_of, table
from tracker.layouts import IBUG_68

FIRST, SECOND, AGAIN = (trial.name for trial in ARCHITECTURES.trials)


def row(network: str, ms: float, nme: float | None) -> Json:
    known = {} if nme is None else {FIRST: nme}
    return {"variant": network, "ms": ms, "nme_percent": known}


def test_the_pareto_front_holds_what_no_other_beats_in_both() -> None:
    rows = [
        row("fast", 5, 7.0),
        row("good", 15, 5.0),
        row("beaten", 16, 5.5),
        row("slow and as good", 20, 5.0),
        row("not trained yet", 1, None),
    ]
    assert pareto_front(rows, FIRST) == {"fast", "good"}


def test_errors_are_those_at_the_end_of_each_trial_in_the_log_of_its_run(tmp_path: Path) -> None:
    variant = next(v for v in ARCHITECTURES.variants if v.name == "2 stacks, width 64")
    for trial, images, error in (
        (Trial(3000), 1500, 7.5), (Trial(3000), 3000, 6.5), (Trial(3000), 4000, 6.4),
        (Trial(9000, 1), 9000, 5.25),
    ):  # fmt: skip
        folder = folder_of(tmp_path, variant, trial).path
        folder.mkdir(exist_ok=True)
        with (folder / "log.jsonl").open("a") as log:
            log.write(json.dumps({"images": float(images), "nme_percent": error}) + "\n")
    assert errors(ARCHITECTURES, tmp_path, variant) == {FIRST: 6.5, AGAIN: 5.25}


def test_the_cost_of_a_network_needs_no_training() -> None:
    recipes = {variant.name: variant.recipe for variant in ARCHITECTURES.variants}
    wide, separable = (describe_network(recipes[n], IBUG_68) for n in ("stem 32", "separable"))
    assert (wide["map"], wide["stem"]) == (32, 32)
    assert separable["mega_mac"] < wide["mega_mac"] / 2
    assert describe_network(recipes["map 64"], IBUG_68)["map"] == 64


@pytest.mark.parametrize("name", STUDIES)
def test_the_stored_table_is_that_of_the_stored_figures(name: str) -> None:
    result = read_json(RESULTS / f"{name}.json")
    page = (RESULTS / f"{name}.md").read_text(encoding="utf-8")
    assert page == as_markdown(STUDIES[name], result)


def test_variants_without_a_finished_run_are_left_out_and_errors_compared_to_the_control() -> None:
    def of(variant: str, nme: float | None) -> Json:
        known = {} if nme is None else {EXTRAS.trials[0].name: nme}
        return {"variant": variant, "nme_percent": known, "noise_percent": 0.3}

    rows = [of("pairs", 3.3), of("control", 3.0), of("unspoilt", None)]
    _, cells = table(EXTRAS, {"rows": rows})
    assert [line[1] for line in cells] == ["3.300 (+10.0 %)", "3.000"]


def test_the_report_needs_no_data(capsys: pytest.CaptureFixture[str]) -> None:
    main(["ablation", "--report"])
    assert "5.989" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "--report prints the stored table"),
        (["--data", ".", "--run", ".", "--only", "no-such"], "no 'no-such'"),
    ],
)
def test_a_mistake_is_explained(
    flags: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["extras", *flags])
    assert message in capsys.readouterr().err


def test_trials_are_chosen_by_name() -> None:
    assert [t.name for t in chosen_trials(ARCHITECTURES, [SECOND])] == [SECOND]
    assert chosen_trials(ARCHITECTURES, None) == list(ARCHITECTURES.trials)
