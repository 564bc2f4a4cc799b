"""``hatch publish -p sign``: what is trusted arrives, and of anything else no byte is sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.indexes import Index, index_serving

from .projects import Done, Project, tamper

if TYPE_CHECKING:
    from collections.abc import Callable

WHEEL = "slugline-1.0.0-py3-none-any.whl"
SDIST = "slugline-1.0.0.tar.gz"


@pytest.fixture
def index() -> Iterator[Index]:
    with index_serving() as index:
        yield index


@pytest.fixture(scope="module")
def released(template: Callable[[str], Project]) -> dict[str, bytes]:
    """Build and sign the example once; return the files of its release."""
    project = template("pure_package")
    environ = {"HATCH_BUILD_HOOK_ENABLE_SIGN": "1", "HATCH_SIGN_ALLOW_DIRECTORY": str(project.root)}
    done = project.hatchling("-d", "released", **environ)
    assert done.code == 0, done.output
    return {path.name: path.read_bytes() for path in (project.root / "released").iterdir() if path.name != ".gitignore"}


@pytest.fixture
def project(make_project: Callable[..., Project], released: dict[str, bytes], index: Index) -> Project:
    """Make the example with its signed release in ``dist``, and the index configured as the place that it goes to."""
    user, token = index.login or ("", "")
    made = make_project(TWINE_USERNAME=user, TWINE_PASSWORD=token)
    place = f'[[tool.hatch-sign.publish]]\nto = "index"\nrepository-url = "{index.url}"\n\n'
    made.configure("[tool.hatch.build.hooks.sign]", f"{place}[tool.hatch.build.hooks.sign]")
    made.dist.mkdir()
    for name, data in released.items():
        (made.dist / name).write_bytes(data)
    return made


def publish(project: Project, *arguments: str, **environ: str) -> Done:
    return project.python("-m", "hatch", "publish", "-p", "sign", *arguments, **environ)


def assert_refused(done: Done, index: Index, code: int, reason: str) -> None:
    """One line says why, without a traceback; the index was not even asked."""
    assert done.code == code, done.output
    assert reason in done.output
    assert "Traceback" not in done.output
    assert index.requests == []


def test_what_is_trusted_arrives(project: Project, index: Index) -> None:
    done = publish(project)
    assert done.code == 0, done.output
    assert {name: stored.content for name, stored in index.stored.items()} == {
        name: (project.dist / name).read_bytes() for name in (WHEEL, SDIST)
    }
    assert f"hatch-sign: index: uploaded {WHEEL}" in done.output
    assert "pypi-loopback-token" not in done.output
    again = publish(project)
    assert again.code == 0, again.output
    assert f"hatch-sign: index: present {WHEEL}" in again.output


def test_what_is_unsigned_is_refused(project: Project, index: Index) -> None:
    for name in (WHEEL, SDIST):
        (project.dist / f"{name}.sigstore.json").unlink()
    assert_refused(publish(project), index, 1, "nothing was published")


def test_a_half_signed_release_is_refused(project: Project, index: Index) -> None:
    (project.dist / f"{SDIST}.sigstore.json").unlink()
    assert_refused(publish(project), index, 1, f"{SDIST} is rejected")


def test_a_tampered_release_is_refused(project: Project, index: Index) -> None:
    tamper(project.dist / WHEEL)
    assert_refused(publish(project), index, 1, "sigstore is hash-mismatch")


def test_a_release_signed_by_a_key_that_is_not_trusted_is_refused(project: Project, index: Index) -> None:
    other = "emulated:slugline/other"
    assert project.sign("key", "generate", other).code == 0
    signed = project.sign("sign", "dist", "--overwrite", "--key", other)
    assert signed.code == 1, "the project's own policy rejects it already"
    assert_refused(publish(project), index, 1, "sigstore is untrusted")


def test_a_policy_kept_elsewhere_is_what_counts(project: Project, index: Index) -> None:
    other = "emulated:slugline/other"
    assert project.sign("key", "generate", other).code == 0
    policy = project.root.parent / "policy"
    policy.mkdir()
    assert project.sign("key", "export-public", other, "-o", policy / "release.pub").code == 0
    (policy / "hatch-sign.toml").write_text('[[verify.trust]]\npublic-key = "release.pub"\n')
    assert_refused(publish(project, "-o", f"policy={policy / 'hatch-sign.toml'}"), index, 1, "sigstore is untrusted")
    assert publish(project).code == 0
    assert set(index.stored) == {WHEEL, SDIST}


def test_artifacts_can_be_named_and_options_take_the_place_of_the_table(project: Project, index: Index) -> None:
    project.configure(
        "[tool.hatch.build.hooks.sign]", '[tool.hatch.publish.sign]\nto = ["folder"]\n\n[tool.hatch.build.hooks.sign]'
    )
    missing = publish(project)
    assert_refused(missing, index, 2, "path")
    done = publish(project, "-o", "to=index", f"dist/{WHEEL}")
    assert done.code == 0, done.output
    assert set(index.stored) == {WHEEL}


def test_a_dry_run_sends_nothing(project: Project, index: Index) -> None:
    done = publish(project, "-o", "dry-run=true")
    assert done.code == 0, done.output
    assert f"would publish {WHEEL} to index" in done.output
    assert index.requests == []


def test_a_setting_of_the_index_can_be_given(project: Project, index: Index) -> None:
    with index_serving() as other:
        done = publish(project, "-o", f"repository-url={other.url}")
        assert done.code == 0, done.output
        assert set(other.stored) == {WHEEL, SDIST}
    assert index.requests == []


@pytest.mark.parametrize(
    ("arguments", "environ", "instead"),
    [
        (("-r", "test"), {}, "repository-url"),
        (("-u", "me", "-a", "hunter2"), {}, "username"),
        ((), {"HATCH_INDEX_AUTH": "hunter2"}, "TWINE_PASSWORD"),
    ],
)
def test_options_that_hatch_would_pass_over_are_refused(
    project: Project, index: Index, arguments: tuple[str, ...], environ: dict[str, str], instead: str
) -> None:
    done = publish(project, *arguments, **environ)
    assert_refused(done, index, 2, instead)
    assert "hunter2" not in done.output


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        ("dry-run=perhaps", "the option dry-run says nothing"),
        ("password=hunter2", "'index.password' is not a setting of the publisher index"),
        ("to=nowhere", "'nowhere' is neither a configured place to publish to nor an installed publisher"),
    ],
)
def test_an_option_that_says_nothing_is_refused(project: Project, index: Index, option: str, reason: str) -> None:
    done = publish(project, "-o", option)
    assert_refused(done, index, 2, reason)
    assert "hunter2" not in done.output


@pytest.mark.parametrize(
    ("line", "reason"), [("to = []", "to is not an array of names"), ("offlin = true", "offlin is not a known key")]
)
def test_a_table_that_is_wrong_is_refused(project: Project, index: Index, line: str, reason: str) -> None:
    project.configure("[tool.hatch.build.hooks.sign]", f"[tool.hatch.publish.sign]\n{line}\n\n[tool.hatch.build.hooks.sign]")
    assert_refused(publish(project), index, 2, reason)


def test_an_index_that_refuses_is_said(project: Project, index: Index) -> None:
    index.login = ("__token__", "another")
    done = publish(project)
    assert done.code == 3, done.output
    assert "not all is published" in done.output
    assert "pypi-loopback-token" not in done.output
    assert index.stored == {}
