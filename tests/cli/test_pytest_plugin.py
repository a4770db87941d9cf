"""The plugin of pytest: scenarios as tests, and the fixture."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kubelemma.cli.check import check as command
from kubelemma.cli.keys import options_of
from kubelemma.cli.lending import APART, lend
from kubelemma.cli.run import run

pytest_plugins = ("pytester",)
pytestmark = pytest.mark.usefixtures("imported")

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = (ROOT / "examples" / "rollout-anti-affinity" / "deployment.yaml").read_text("utf-8")


def scenario(name: str, nodes: int = 3, **spec: object) -> str:
    """A rollout of ``web`` on so many nodes, as a document."""
    whole = {
        "apiVersion": "kubelemma.dev/v1alpha1",
        "kind": "Check",
        "metadata": {"name": name},
        "spec": {
            "resources": ["web.yaml"],
            "cluster": {"nodes": [{"count": nodes, "allocatable": {"cpu": "4", "memory": "8Gi"}}]},
            "events": [{"rollout": {"deployment": "web"}}],
            **spec,
        },
    }
    return json.dumps(whole)


def write(project: pytest.Pytester, *scenarios: str, name: str = "web.check.yaml") -> None:
    """A file of scenarios."""
    (project.path / name).write_text("\n---\n".join(scenarios), "utf-8")


def test_a_test_for_each_property(project: pytest.Pytester) -> None:
    """Each property of a scenario is a test with a name of its own; vacuous ones are told apart."""
    write(project, scenario("roomy", nodes=4, properties=["DEP-1", "DEP-4", "RS-4", "NODE-2"]))
    result = project.runpytest("-v")
    result.stdout.fnmatch_lines(
        [
            "web.check.yaml::roomy::DEP-1 PASSED*",
            "web.check.yaml::roomy::DEP-4 PASSED*",
            "web.check.yaml::roomy::NODE-2 VACUOUS*",
            "*what passed, but is no plain success*",
            "VACUOUS web.check.yaml::roomy::NODE-2 - no machine is ever lost",
            "*3 passed, 1 vacuous in*",
        ]
    )
    assert result.ret == pytest.ExitCode.OK


def test_failure_tells_the_story(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A violation fails with its story, and the command that it ends in repeats it."""
    write(project, scenario("crowded", properties=["DEP-4"]))
    result = project.runpytest()
    result.stdout.fnmatch_lines(
        [
            "*_ crowded: DEP-4 _*",
            "DEP-4 is violated for Deployment default/web in crowded: Rollouts complete*",
            "What happens",
            "*user: applies a new pod template (v2) to web",
            "*web-v2-1: 0/3 nodes are available*",
            "How to repeat it",
            "  kubelemma replay crowded-DEP-4",
            "FAILED web.check.yaml::crowded::DEP-4*",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    monkeypatch.chdir(project.path)
    assert run(["replay", "crowded-DEP-4"]) == 1
    assert "still fails" in capfd.readouterr().out


def test_command_works_from_another_folder(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From below the project's root, the command names the file where it is."""
    write(project, scenario("crowded", properties=["DEP-4"]))
    monkeypatch.chdir(project.mkdir("below"))
    result = project.runpytest("..", "--rootdir=..")
    kept = project.path / ".kubelemma" / "traces" / "crowded-DEP-4.json"
    result.stdout.fnmatch_lines([f"*kubelemma replay {kept}"])


def test_expectations_are_respected(project: pytest.Pytester) -> None:
    """A violation that is expected passes; one that is expected and does not happen fails."""
    expect = {"DEP-4": "violated"}
    write(
        project,
        scenario("crowded", properties=["DEP-4"], expect=expect),
        scenario("roomy", nodes=4, properties=["DEP-4"], expect=expect),
    )
    result = project.runpytest("-v")
    result.stdout.fnmatch_lines(
        [
            "web.check.yaml::crowded::DEP-4 PASSED*",
            "web.check.yaml::roomy::DEP-4 FAILED*",
            "DEP-4 holds, where violated was expected*",
        ]
    )


@pytest.mark.parametrize(
    ("configured", "outcome"), [("fail", {"failed": 1}), ("xfail", {"xfailed": 1})]
)
def test_inconclusive(project: pytest.Pytester, configured: str, outcome: dict[str, int]) -> None:
    """A search that was given up is a failure, or an expected one: never a success."""
    write(project, scenario("large", properties=["DEP-1"], bounds={"maxStates": 3}))
    result = project.runpytest("-rx", "-o", f"kubelemma_inconclusive={configured}")
    result.assert_outcomes(**outcome)
    result.stdout.fnmatch_lines(["*limit of 3 states was reached*"])


def test_mild_violations_are_told_apart(project: pytest.Pytester) -> None:
    """A violation below the severity that fails is a word of its own."""
    crash = [{"rollout": {"deployment": "web"}}, {"nodeCrash": {}}]
    write(project, scenario("crash", nodes=4, properties=["DEP-2"], events=crash))
    result = project.runpytest("-v", "-o", "kubelemma_fail_on=critical")
    result.stdout.fnmatch_lines(["web.check.yaml::crash::DEP-2 MILD*", "*1 mild in*"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--kubelemma-engine=plan"], "*kubelemma_engine: 'plan' is not one of * 'auto', *"),
        (["--kubelemma-time-limit=soon"], '*kubelemma_time_limit: "soon" is no duration such as*'),
        (["-o", "kubelemma_inconclusive=skip"], "*kubelemma_inconclusive: expected fail or xfail*"),
        (["-o", "kubelemma_fail_on=hi"], "*kubelemma_fail_on: 'hi' is not one of*"),
    ],
)
def test_wrong_options(project: pytest.Pytester, arguments: list[str], message: str) -> None:
    """Options that mean nothing are an error, in a sentence, of scenarios and of the fixture."""
    write(project, scenario("roomy", nodes=4, properties=["DEP-4"]))
    project.makepyfile("def test_fixture(kubelemma): pass")
    result = project.runpytest("--continue-on-collection-errors", *arguments)
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines([message, message])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_options_reach_the_search(project: pytest.Pytester) -> None:
    """The engine and the time limit are those of the command line."""
    write(project, scenario("roomy", nodes=4, properties=["DEP-4"]))
    result = project.runpytest("--kubelemma-engine=plain", "--kubelemma-time-limit=0.000001")
    result.stdout.fnmatch_lines(["*inconclusive*time limit*", "*gives up*after 1e-06 s*"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind: Check", "*web.check.yaml:1: apiVersion is missing*"),
        ("", "*web.check.yaml: holds no document: nothing to check*"),
        (MANIFEST, "*web.check.yaml: there is no scenario (kind: Check) in this file*"),
        (scenario("lost", resources=["gone.yaml"]), "*gone.yaml: no such file*"),
        (scenario("lost", properties=["DEP-44"]), '*there is no property "DEP-44"*'),
    ],
)
def test_bad_input_is_an_error(project: pytest.Pytester, text: str, message: str) -> None:
    """A file that cannot be read is an error of collection, with file, line and reason."""
    write(project, text)
    result = project.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([message])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_only_scenarios_are_collected(project: pytest.Pytester) -> None:
    """Other YAML files are nobody's tests; which ones are is configurable."""
    write(project, scenario("roomy", nodes=4, properties=["DEP-4"]), name="scenario.yaml")
    assert project.runpytest().ret == pytest.ExitCode.NO_TESTS_COLLECTED
    result = project.runpytest("-o", "kubelemma_files=scenario.yaml")
    result.assert_outcomes(passed=1)


def test_chosen_by_name(project: pytest.Pytester) -> None:
    """A test can be chosen by its identifier and by words in it."""
    write(project, scenario("roomy", nodes=4, properties=["DEP-1", "DEP-4"]))
    project.runpytest("-k", "DEP-1").assert_outcomes(passed=1, deselected=1)
    project.runpytest("web.check.yaml::roomy::DEP-4").assert_outcomes(passed=1)


def test_several_workloads(project: pytest.Pytester) -> None:
    """Workloads that are checked together have tests by property and object."""
    (project.path / "api.yaml").write_text(MANIFEST.replace("web", "api"), "utf-8")
    small = {"replicas": 1}
    write(
        project,
        scenario(
            "both",
            nodes=2,
            resources=["web.yaml", "api.yaml"],
            together=["web", "api"],
            events=[{"scale": {"deployment": "web", **small}}],
            properties=["DEP-1"],
        ),
    )
    result = project.runpytest("--collect-only", "-q")
    result.stdout.fnmatch_lines(
        [
            "web.check.yaml::both::DEP-1[[]Deployment default/api[]]",
            "web.check.yaml::both::DEP-1[[]Deployment default/web[]]",
        ]
    )


def test_loaded_code(project: pytest.Pytester) -> None:
    """Controllers and properties of one's own come from files that the configuration names."""
    example = ROOT / "examples" / "own-controller"
    text = (example / "scenario.yaml").read_text("utf-8")
    write(project, text.replace("shop.yaml", str(example / "shop.yaml")))
    code = f"{example / 'shop_operator.py'} {example / 'promises.py'}"
    result = project.runpytest("-v", "-o", f"kubelemma_load={code}")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["web.check.yaml::own-controller::SHOP-1 FAILED*"])


# The same as on the command line

SUPPRESSIONS = """
apiVersion: kubelemma.dev/v1alpha1
kind: Suppressions
suppressions:
- {id: DEP-4, reason: see ADR 7, expires: 2027-01-31}
- {id: DEP-1, reason: see ADR 8}
"""


@pytest.fixture
def crowded(project: pytest.Pytester) -> pytest.Pytester:
    """A project with a scenario in which DEP-4 is violated."""
    write(project, scenario("crowded", properties=["DEP-1", "DEP-4"]))
    return project


def configure(project: pytest.Pytester, text: str) -> None:
    """A configuration file of kubelemma, for tests and the command line."""
    (project.path / "kubelemma.toml").write_text(text, "utf-8")


def test_verdicts_are_remembered(
    crowded: pytest.Pytester, capfd: pytest.CaptureFixture[str]
) -> None:
    """An unchanged scenario is not searched again, by pytest and by the command line alike."""
    remembered = "1 of 1 scenario remembered from earlier runs*"
    crowded.runpytest("-v").stdout.no_fnmatch_line(remembered)
    again = crowded.runpytest("-v")
    again.assert_outcomes(passed=1, failed=1)
    again.stdout.fnmatch_lines(["*user: applies a new pod template (v2) to web", remembered])
    for option in ("--kubelemma-no-cache", "--override-ini=kubelemma_cache=false"):
        crowded.runpytest("-v", option).stdout.no_fnmatch_line(remembered)
    capfd.readouterr()
    run(["check", "web.check.yaml", "-o", "wide"])
    assert "an earlier run found this" in capfd.readouterr().out


def test_verdicts_of_the_command_line(crowded: pytest.Pytester) -> None:
    """What the command line found out, and was told to keep elsewhere, is remembered by pytest."""
    configure(crowded, 'cache-dir = "found"')
    run(["check", "web.check.yaml"])
    result = crowded.runpytest("-v")
    result.stdout.fnmatch_lines(["1 of 1 scenario remembered from earlier runs*"])
    assert not (crowded.path / ".kubelemma" / "cache").exists()


def test_counterexamples_come_first(crowded: pytest.Pytester) -> None:
    """Where a scenario has changed, a violation once found is not lost to a limit."""
    crowded.runpytest()
    write(crowded, scenario("crowded", properties=["DEP-1", "DEP-4"], bounds={"maxStates": 1}))
    slower = MANIFEST.replace("spec:\n", "spec:\n  minReadySeconds: 5\n", 1)
    (crowded.path / "web.yaml").write_text(slower, "utf-8")
    result = crowded.runpytest()
    result.stdout.fnmatch_lines(
        ["DEP-1 is inconclusive *", "DEP-4 is violated * (by a counterexample of*"]
    )
    result = crowded.runpytest("--kubelemma-no-cache")
    result.stdout.fnmatch_lines(["*DEP-4 is inconclusive *"])


def test_a_cache_that_cannot_be_written(crowded: pytest.Pytester) -> None:
    """Where nothing can be kept, tests are what they are, and a note says so."""
    (crowded.path / "file").write_text("", "utf-8")
    configure(crowded, 'cache-dir = "file/below"')
    result = crowded.runpytest()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*= kubelemma: notes =*", "*verdicts cannot be remembered: *"])


def test_suppressions(crowded: pytest.Pytester) -> None:
    """What is accepted passes, with the reason; what is accepted for nothing is noted."""
    (crowded.path / ".kubelemma.yaml").write_text(SUPPRESSIONS, "utf-8")
    result = crowded.runpytest("-v", "--junit-xml=junit.xml")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [
            "web.check.yaml::crowded::DEP-4 SUPPRESSED*",
            ".kubelemma.yaml:6: the suppression of DEP-1 is stale: *",
            "SUPPRESSED *DEP-4 - suppressed until 2027-01-31 in .kubelemma.yaml:5: see ADR 7",
            "*1 passed, 1 suppressed in*",
        ]
    )
    assert "see ADR 7" in (crowded.path / "junit.xml").read_text("utf-8")
    crowded.runpytest("-q").stdout.no_fnmatch_line("*stale*")


def test_expired_suppressions(crowded: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """After its last day a suppression does not count, and a note says so."""
    (crowded.path / ".kubelemma.yaml").write_text(SUPPRESSIONS, "utf-8")
    monkeypatch.setenv("KUBELEMMA_TODAY", "2027-02-01")
    result = crowded.runpytest()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines([".kubelemma.yaml:5: the suppression of DEP-4 expired on *"])


def test_stale_in_one_scenario_only(crowded: pytest.Pytester) -> None:
    """A suppression that one of several scenarios needs is not called stale."""
    (crowded.path / ".kubelemma.yaml").write_text(SUPPRESSIONS, "utf-8")
    write(crowded, scenario("roomy", nodes=4, properties=["DEP-4"]), name="roomy.check.yaml")
    result = crowded.runpytest()
    result.stdout.no_fnmatch_line("*the suppression of DEP-4*")


def test_baseline(crowded: pytest.Pytester) -> None:
    """What the baseline of the configuration lists is known, and passes."""
    run(["check", "web.check.yaml", "--write-baseline", "base.json"])
    configure(crowded, 'baseline = "base.json"')
    result = crowded.runpytest("-v")
    result.stdout.fnmatch_lines(
        ["*::DEP-4 KNOWN*", "KNOWN *::DEP-4 - known from the baseline", "*1 passed, 1 known in*"]
    )


def test_configuration_file(crowded: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Options of the file count unless pytest has its own; others are not even looked at."""
    configure(crowded, "max-states = 1")
    crowded.runpytest().assert_outcomes(failed=2)
    configure(
        crowded,
        """
        fail-on = "high"
        report = ["html=nowhere/report.html"]
        severity = {DEP-4 = "low"}
        """,
    )
    mild = "MILD web.check.yaml::crowded::DEP-4 - violated, but less severe than high"
    crowded.runpytest("-v").stdout.fnmatch_lines([mild])
    crowded.runpytest("-o", "kubelemma_fail_on=low").assert_outcomes(passed=1, failed=1)
    monkeypatch.chdir(crowded.mkdir("below"))
    result = crowded.runpytest("..", "--rootdir=..", "-c", "../pyproject.toml", "-v")
    result.stdout.fnmatch_lines([f"*{mild}"])


def test_environment(crowded: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables count, before the file."""
    configure(crowded, 'fail-on = "low"\nseverity = {DEP-4 = "low"}')
    monkeypatch.setenv("KUBELEMMA_FAIL_ON", "critical")
    crowded.runpytest("-v").stdout.fnmatch_lines(["*::DEP-4 MILD*"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('engin = "plain"', '*kubelemma.toml:1: engin: unknown key (did you mean "engine"?)*'),
        ('\nfail-on = "hihg"', "*kubelemma.toml:2: fail-on: 'hihg' is not one of*"),
        ('suppressions = "gone.yaml"', "*gone.yaml: no such file*"),
        ('severity = {"DEP-44" = "low"}', "*kubelemma.toml:1: severity: there is no property*"),
        ("seed = 3", "*kubelemma: --seed is for runs drawn at random*"),
    ],
)
def test_wrong_configuration(crowded: pytest.Pytester, text: str, message: str) -> None:
    """What is wrong with the file is an error, where it stands, before anything is searched."""
    configure(crowded, text)
    result = crowded.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([message])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_every_option_is_lent() -> None:
    """Each option of the command line is heeded by tests, or known to be about something else."""
    lent = lend({}, {}).context.params.keys()
    options = options_of(command)
    hidden = {key for key, option in options.items() if not option.expose_value}
    assert {key for key, option in options.items() if option.name not in lent} == APART | hidden
    text = (ROOT / "docs" / "testing.md").read_text("utf-8")
    document = text.partition("## The same as on the command line")[2].partition("##")[0]
    assert [key for key in sorted(APART) if f"`{key}`" not in document] == []


# The fixture


def test_fixture_goes_by_the_configuration(project: pytest.Pytester) -> None:
    """Findings of the fixture are judged alike, wherever a test has gone to, and remembered."""
    (project.path / ".kubelemma.yaml").write_text(SUPPRESSIONS, "utf-8")
    configure(project, 'nodes = ["count=3,cpu=4,memory=8Gi"]\nevent = ["rollout=web"]')
    project.makepyfile(
        """
        from pathlib import Path

        WEB = Path("web.yaml").absolute()


        def test_elsewhere(kubelemma, tmp_path, monkeypatch):
            monkeypatch.chdir(tmp_path)
            found = kubelemma.check(WEB, properties="DEP-4")
            found.assert_violated("DEP-4")
            found.assert_holds()


        def test_other_nodes(kubelemma):
            found = kubelemma.check(WEB, nodes="count=4,cpu=4,memory=8Gi", properties="DEP-4")
            found.assert_holds("DEP-4")


        def test_remembered(kubelemma):
            found = kubelemma.check(WEB, properties="DEP-4")
            assert found.report.scenarios[0].statistics.remembered
        """
    )
    project.runpytest().assert_outcomes(passed=3)


def test_drawn_examples_are_not_remembered(project: pytest.Pytester) -> None:
    """What Hypothesis draws leaves no verdict behind."""
    project.makepyfile(
        """
        from hypothesis import given, settings
        from kubelemma.testing import strategies


        @settings(max_examples=2, database=None, deadline=None)
        @given(strategies.deployments(most_replicas=1))
        def test_drawn(kubelemma, deployment):
            kubelemma.check(deployment, events=[{"nodeCrash": {}}], properties="KUB-7")
        """
    )
    project.runpytest().assert_outcomes(passed=1)
    assert not (project.path / ".kubelemma" / "cache").exists()


def test_fixture(project: pytest.Pytester) -> None:
    """The fixture checks files and objects, goes by the configuration, and tells the story."""
    project.makepyfile(
        """
        from pathlib import Path

        import yaml
        from kubelemma.testing import strategies
        from hypothesis import given, settings


        def test_file(kubelemma):
            nodes = "count=4,cpu=4,memory=8Gi"
            found = kubelemma.check("web.yaml", nodes=nodes, events="rollout=web")
            found.assert_holds("DEP-4")


        def test_object(kubelemma):
            web = yaml.safe_load(Path("web.yaml").read_text())
            web["spec"]["replicas"] = 2
            nodes = "count=2,cpu=4,memory=8Gi"
            kubelemma.check(web, nodes=nodes, events="rollout=web").assert_holds()


        @settings(max_examples=2, database=None)
        @given(strategies.deployments(most_replicas=1))
        def test_drawn(kubelemma, deployment):
            kubelemma.check(deployment, events=[{"nodeCrash": {}}], properties="KUB-7")


        def test_means(kubelemma):
            assert (kubelemma.engine, kubelemma.usual.time_limit_seconds) == ("plain", 5.0)
        """
    )
    result = project.runpytest("--kubelemma-engine=plain", "--kubelemma-time-limit=5")
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*_ test_object _*",
            "E * FAILED: of * 2 violated (DEP-4, STUCK)*",
            "E *user: applies a new pod template (v2) to web",
            "E *kubelemma replay default-web-DEP-4",
        ]
    )


def test_nothing_is_kept_on_request(project: pytest.Pytester) -> None:
    """Without saving there are no files, and no command that needs them."""
    write(project, scenario("crowded", properties=["DEP-4"]))
    result = project.runpytest("-o", "kubelemma_save=false")
    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*kubelemma replay*")
    assert not (project.path / ".kubelemma").exists()
