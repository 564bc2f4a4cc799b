"""``hatch build -c`` and ``hatch clean`` leave no signature of what is gone, and take none of what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .projects import Project

WHEEL = "slugline-1.0.0-py3-none-any.whl"
SDIST = "slugline-1.0.0.tar.gz"
SIGNED = {WHEEL, SDIST, f"{WHEEL}.sigstore.json", f"{SDIST}.sigstore.json"}


def test_cleaning_builds_leave_fresh_signatures_only(project: Project) -> None:
    assert project.hatchling().code == 0
    for _ in range(2):
        project.change_source()
        done = project.hatchling("-c")
        assert done.code == 0, done.output
        assert project.built() == SIGNED
        assert project.sign("verify", "dist").code == 0


def test_signatures_of_an_older_version_go_with_it(project: Project) -> None:
    project.configure('formats = ["sigstore"]', 'formats = ["sigstore", "statement", "checksums"]')
    assert project.hatchling().code == 0
    assert project.sign("sign", "dist").code == 0
    project.configure('version = "1.0.0"', 'version = "1.0.1"')
    done = project.hatchling("-c")
    assert done.code == 0, done.output
    assert project.built() == {name.replace("1.0.0", "1.0.1") for name in SIGNED}


def test_without_cleaning_the_older_version_keeps_its_signatures(project: Project) -> None:
    assert project.hatchling().code == 0
    project.configure('version = "1.0.0"', 'version = "1.0.1"')
    assert project.hatchling().code == 0
    assert project.built() == SIGNED | {name.replace("1.0.0", "1.0.1") for name in SIGNED}


def test_cleaning_one_target_keeps_the_signatures_of_the_other_and_nothing_over_both(project: Project) -> None:
    project.configure('formats = ["sigstore"]', 'formats = ["sigstore", "statement", "checksums"]')
    assert project.hatchling().code == 0
    assert project.sign("sign", "dist").code == 0
    assert project.hatchling("-t", "wheel", "--clean-only").code == 0
    assert project.built() == {SDIST, f"{SDIST}.sigstore.json"}


def test_cleaning_all_leaves_nothing_of_ours_and_all_of_others(project: Project) -> None:
    project.configure('formats = ["sigstore"]', 'formats = ["sigstore", "statement", "checksums"]')
    assert project.hatchling().code == 0
    assert project.sign("sign", "dist").code == 0
    (project.dist / "notes.txt").touch()
    assert project.hatchling("-t", "wheel", "-t", "sdist", "--clean-only").code == 0
    assert project.built() == {"notes.txt"}


def test_a_broken_configuration_does_not_keep_anybody_from_cleaning(project: Project) -> None:
    assert project.hatchling().code == 0
    project.configure('formats = ["sigstore"]', 'formats = ["sigstor"]')
    done = project.hatchling("-t", "wheel", "-t", "sdist", "--clean-only")
    assert done.code == 0, done.output
    assert project.built() == set()


def test_the_output_directory_is_cleaned_of_distributions_only(project: Project) -> None:
    project.configure('formats = ["sigstore"]', 'formats = ["sigstore"]\noutput-directory = "signatures"')
    assert project.hatchling().code == 0
    others = project.root / "signatures" / "vendored.sigstore.json"
    others.touch()
    assert project.hatchling("-t", "wheel", "-t", "sdist", "--clean-only").code == 0
    assert list((project.root / "signatures").iterdir()) == [others]


def test_cleaning_while_nothing_is_taken_away_keeps_all(project: Project) -> None:
    project.configure('formats = ["sigstore"]', 'formats = ["sigstore", "statement", "checksums"]')
    assert project.hatchling().code == 0
    assert project.sign("sign", "dist").code == 0
    before = project.built()
    assert project.hatchling("-t", "wheel", "-c", "--hooks-only").code == 0
    assert project.built() == before > SIGNED


def test_cleaning_after_the_build_keeps_what_the_build_has_signed(project: Project) -> None:
    done = project.hatchling("--clean-hooks-after")
    assert done.code == 0, done.output
    assert project.built() == SIGNED


def test_what_was_removed_is_said_to_those_who_ask(project: Project) -> None:
    assert project.hatchling("-t", "wheel").code == 0
    quiet, verbose = (project.hatchling("-t", "wheel", "-c", HATCH_VERBOSE=level) for level in "01")
    said = f"removed {WHEEL}.sigstore.json, whose artifact is gone"
    assert said in verbose.output
    assert said not in quiet.output
