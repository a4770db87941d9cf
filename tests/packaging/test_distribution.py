"""The sdist, the wheel that is built from it, and the wheel in an environment of its own."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

import kubelemma

ROOT = Path(__file__).resolve().parents[2]
LINKED = ("model", "properties", "solver", "reports")


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist and the wheel built from it, without an index."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


@pytest.fixture(scope="session")
def wheel(distributions: Path) -> Path:
    """The wheel."""
    (found,) = distributions.glob("*.whl")
    return found


def sources() -> set[str]:
    """All files of the package as they lie in the tree, by their paths in the wheel."""
    package = ROOT / "src" / "kubelemma"
    own = {p: p.relative_to(package.parent) for p in package.rglob("*") if p.is_file()}
    linked = {
        path: Path("kubelemma") / path.relative_to(ROOT)
        for name in LINKED
        for path in (ROOT / name).rglob("*")
        if path.is_file()
    }
    kept = {**own, **linked}.values()
    return {p.as_posix() for p in kept if "__pycache__" not in p.parts}


def test_wheel_holds_exactly_the_package(wheel: Path) -> None:
    """The wheel from the sdist has every file of the linked folders, and no other file."""
    names = {n for n in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in n}
    assert names == sources()
    assert "kubelemma/reports/schema/check-report.schema.json" in names
    assert "kubelemma/py.typed" in names


def test_sdist_can_be_tested_and_read(distributions: Path) -> None:
    """The sdist has the tests and what they test, the documents and the licence."""
    (sdist,) = distributions.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {"LICENSE", "README.md", "CHANGELOG.md", "docs/architecture.md", "pyproject.toml"}
    assert wanted <= names
    assert "tests/packaging/test_distribution.py" in names
    assert {"tools/property_pages.py", "docs/properties/DEP-4.md", "action.yml"} <= names
    assert {"mkdocs.yml", "tools/site_pages.py"} <= names
    assert {"Dockerfile", ".dockerignore", ".pre-commit-hooks.yaml"} <= names


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of commands of an environment that has the wheel, and borrows its dependencies."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    scripts = Path(sysconfig.get_path("scripts", "venv", {"base": str(folder)}))
    packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder)}))
    borrowed = sysconfig.get_path("purelib")
    (packages / "borrowed.pth").write_text(f"{borrowed}\n", "utf-8")
    pip = [sys.executable, "-m", "pip", "--python", str(scripts / "python"), "install", "--quiet"]
    subprocess.run([*pip, "--no-index", "--no-deps", str(wheel)], check=True)
    return scripts


def test_wheel_runs_on_its_own(installed: Path, tmp_path: Path) -> None:
    """The command and the module of the installed wheel tell their version."""
    for command in (["kubelemma"], ["python", "-m", "kubelemma"]):
        run = subprocess.run(
            [str(installed / command[0]), *command[1:], "--version"],
            capture_output=True,
            text=True,
            check=True,
            cwd=tmp_path,
        )
        assert run.stdout == f"kubelemma {kubelemma.__version__}\n"


def test_wheel_has_the_plugin_of_kubectl(installed: Path, tmp_path: Path) -> None:
    """The plugin and what completes its words are commands of their own."""
    for command, said in (
        (["kubectl-lemma", "--version"], f"kubectl lemma {kubelemma.__version__}\n"),
        (["kubectl_complete-lemma", "check", "--fail-on", "c"], "critical\n:4\n"),
    ):
        run = subprocess.run(
            [str(installed / command[0]), *command[1:]],
            capture_output=True,
            text=True,
            check=True,
            cwd=tmp_path,
        )
        assert run.stdout == said


def test_wheel_does_not_use_the_tree(installed: Path, tmp_path: Path) -> None:
    """What the environment imports is the wheel, data files included."""
    script = (
        "import kubelemma.reports.json as j; print(j.__file__); print(len(j.schema()['$defs']))"
    )
    run = subprocess.run(
        [str(installed / "python"), "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    file, definitions = run.stdout.splitlines()
    assert Path(file).is_relative_to(installed.parent)
    assert int(definitions) > 0
