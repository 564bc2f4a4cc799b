"""Files that become assets of a release on GitHub."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hatch_sign.publishers.github.publisher import GitHubPublisher
from hatch_sign.values.errors import PublishError, RejectedError, UnsupportedError
from tests.unit.publishers.release_files import BUNDLE, IN_ORDER, LIST, WHEEL, Heard, release_file

if TYPE_CHECKING:
    from pathlib import Path

    from hatch_sign.contract import Published, ReleaseFile
    from tests.github_releases import FakeGitHub

    from .conftest import Client


def wanted(files: list[ReleaseFile]) -> dict[str, bytes]:
    return {file.name: file.path.read_bytes() for file in files}


# --- where to ---------------------------------------------------------------------------------------------------------


def test_a_release_that_is_not_there_is_made_as_a_draft(
    github: FakeGitHub, client: Client, files: list[ReleaseFile]
) -> None:
    heard = client.publish(files, prerelease=True, **{"release-name": "First", "generate-notes": True})
    assert heard.uploaded == IN_ORDER
    (made,) = github.releases
    assert made.contents() == wanted(files)
    assert made.draft
    assert made.fields == {
        "tag_name": "v1.0",
        "name": "First",
        "draft": True,
        "prerelease": True,
        "generate_release_notes": True,
    }
    (warning,) = heard.warnings
    assert "the release is a draft, and only those who may write see it until it is published" in warning


def test_what_is_not_to_stay_a_draft_is_published_once_all_is_there(
    github: FakeGitHub, client: Client, files: list[ReleaseFile]
) -> None:
    heard = client.publish(files, draft=False)
    (made,) = github.releases
    assert not made.draft
    assert made.fields["draft"] is True
    assert github.calls[-3:] == ["upload", "assets", "publish"]
    assert heard.warnings == []


def test_a_draft_in_which_a_file_was_exchanged_is_not_published(
    github: FakeGitHub, client: Client, files: list[ReleaseFile]
) -> None:
    class Stranger(Heard):
        def __call__(self, published: Published) -> None:
            super().__call__(published)
            if published.name == WHEEL:
                (asset,) = (each for each in github.releases[0].assets if each.name == WHEEL)
                asset.content = b"WHEEL " * 1000

    stranger = Stranger()
    with (
        GitHubPublisher(limits=client.limits).open(
            {**client.settings, "draft": False}, stranger.context(client.environ)
        ) as destination,
        pytest.raises(RejectedError, match=f"{WHEEL} was uploaded, and the draft has other bytes by now"),
    ):
        destination.publish(files, stranger)
    assert stranger.uploaded == IN_ORDER
    assert github.releases[0].draft
    assert "publish" not in github.calls


def test_what_else_a_draft_holds_is_told_when_it_is_published(
    github: FakeGitHub, client: Client, files: list[ReleaseFile]
) -> None:
    github.add_asset(github.add_release(), "forgotten.exe", b"by nobody knows whom")
    assert "not verified here" not in "".join(client.publish(files).warnings)
    (warning,) = client.publish(files, draft=False).warnings
    assert warning.endswith(": published with it, and not verified here: forgotten.exe")
    assert not github.releases[0].draft


def test_a_draft_that_is_there_is_found_on_whatever_page(
    github: FakeGitHub, client: Client, files: list[ReleaseFile]
) -> None:
    github.page_size = 2
    github.tags.update(f"v0.{number}" for number in range(7))
    there = github.add_release()
    for number in range(7):
        github.add_release(f"v0.{number}", draft=False)
    client.publish(files)
    assert there.contents() == wanted(files)
    assert len(github.releases) == 8
    assert github.calls.count("list") == 4


@pytest.mark.parametrize("draft", [True, False])
def test_a_release_that_is_published_stays_it(
    github: FakeGitHub, client: Client, files: list[ReleaseFile], *, draft: bool
) -> None:
    there = github.add_release(draft=False)
    heard = client.publish(files, draft=draft)
    assert there.contents() == wanted(files)
    assert not there.draft
    assert "publish" not in github.calls
    assert heard.warnings == []


def test_a_tag_that_nobody_pushed_is_not_made_by_the_way(
    github: FakeGitHub, client: Client, files: list[ReleaseFile]
) -> None:
    error, _ = client.failure(files, tag="v2.0")
    assert isinstance(error, PublishError)
    assert "the repository has no tag v2.0; push the tag, then run again" in str(error)
    assert github.releases == []


def test_a_tag_may_have_slashes(github: FakeGitHub, client: Client, files: list[ReleaseFile]) -> None:
    github.tags.add("app/v1.0+é")
    client.publish(files, tag="app/v1.0+é", draft=False)
    heard = client.publish(files, tag="app/v1.0+é")
    assert len(github.releases) == 1
    assert len(heard.present) == len(files)


def test_two_drafts_of_one_tag_are_one_too_many(github: FakeGitHub, client: Client, files: list[ReleaseFile]) -> None:
    github.add_release()
    github.add_release()
    error, _ = client.failure(files)
    assert "there are 2 drafts of the tag v1.0; delete all but one of them" in str(error)
    assert "upload" not in github.calls


# --- again ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tells_digests", [True, False])
def test_again_sends_nothing(github: FakeGitHub, client: Client, files: list[ReleaseFile], *, tells_digests: bool) -> None:
    client.publish(files)
    github.calls.clear()
    github.tells_digests = tells_digests
    heard = client.publish(files)
    assert sorted(heard.present) == sorted(IN_ORDER)
    assert heard.uploaded == []
    assert not {"upload", "create", "delete"} & set(github.calls)
    assert github.calls.count("download") == (0 if tells_digests else len(files))


def test_the_rest_follows(github: FakeGitHub, client: Client, files: list[ReleaseFile]) -> None:
    client.publish(files[1:])
    heard = client.publish(files)
    assert heard.uploaded == [WHEEL]
    assert github.releases[0].contents() == wanted(files)


def test_what_a_cut_upload_left_is_sent_again(github: FakeGitHub, client: Client, files: list[ReleaseFile]) -> None:
    there = github.add_release()
    github.add_asset(there, WHEEL, b"", "starter")
    heard = client.publish(files)
    assert WHEEL in heard.uploaded
    assert there.contents() == wanted(files)
    assert len(there.assets) == len(files)


def test_assets_on_later_pages_are_seen(github: FakeGitHub, client: Client, files: list[ReleaseFile]) -> None:
    github.page_size = 1
    client.publish(files)
    assert sorted(client.publish(files).present) == sorted(IN_ORDER)


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tells_digests", [True, False])
@pytest.mark.parametrize("there", [b"other", b"bundlE"])
def test_other_bytes_are_not_replaced_and_nothing_is_sent(
    github: FakeGitHub, client: Client, files: list[ReleaseFile], there: bytes, *, tells_digests: bool
) -> None:
    release = github.add_release()
    github.add_asset(release, BUNDLE, there)
    github.tells_digests = tells_digests
    error, heard = client.failure(files)
    assert isinstance(error, RejectedError)
    assert f"{BUNDLE} is there already, with other bytes; nothing was replaced" in str(error)
    assert release.contents() == {BUNDLE: there}
    assert heard.deeds == []


def test_a_release_that_is_immutable_is_told_before_anything_is_sent(
    github: FakeGitHub, client: Client, files: list[ReleaseFile]
) -> None:
    release = github.add_release(draft=False, immutable=True)
    error, _ = client.failure(files)
    assert "4 files are missing in the release, which is immutable; publish them under a new tag" in str(error)
    assert "upload" not in github.calls
    for file in files:
        github.add_asset(release, file.name, file.path.read_bytes())
    assert len(client.publish(files).present) == len(files)


def test_more_assets_than_a_release_takes_are_refused(github: FakeGitHub, client: Client, files: list[ReleaseFile]) -> None:
    release = github.add_release()
    for number in range(997):
        github.add_asset(release, f"{number}.txt", b"x")
    error, _ = client.failure(files)
    assert "the release would have 1001 assets, and GitHub takes 1000" in str(error)
    assert "upload" not in github.calls
    release.assets.pop()
    assert client.publish(files).uploaded == IN_ORDER


@pytest.mark.parametrize(
    "name", ["app 1.0.whl", "app-1!1.0.whl", ".app.whl", "app..whl", "app.whl.", "añp.whl", "a(1).whl", "a~1.whl"]
)
def test_a_name_that_github_would_change_is_refused_before_anything_is_asked(
    github: FakeGitHub, client: Client, files: list[ReleaseFile], tmp_path: Path, name: str
) -> None:
    error, _ = client.failure([*files, release_file(tmp_path, name, b"content")])
    assert isinstance(error, UnsupportedError)
    assert f"{name} cannot be published there: GitHub would give it another name" in str(error)
    assert github.requests == 0


def test_a_local_version_keeps_its_plus(github: FakeGitHub, client: Client, tmp_path: Path) -> None:
    client.publish([release_file(tmp_path, "app-1.0+local.1-py3-none-any.whl", b"content")])
    assert list(github.releases[0].contents()) == ["app-1.0+local.1-py3-none-any.whl"]


@pytest.mark.parametrize(
    ("size", "reason"), [(2**31, "it is too large: an asset is smaller than 2 GiB"), (0, "GitHub takes no empty file")]
)
def test_a_size_that_github_does_not_take_is_refused(
    github: FakeGitHub, client: Client, tmp_path: Path, size: int, reason: str
) -> None:
    file = release_file(tmp_path, "app.bin", b"content")
    error, _ = client.failure([type(file)(file.name, file.path, size, file.sha256)])
    assert reason in str(error)
    assert github.requests == 0


def test_a_file_that_changed_is_never_sent_to_its_end(github: FakeGitHub, client: Client, files: list[ReleaseFile]) -> None:
    wheel = next(file for file in files if file.name == WHEEL)
    wheel.path.write_bytes(b"w" * wheel.size)
    error, heard = client.failure(files)
    assert isinstance(error, RejectedError)
    assert f"{WHEEL} changed after it was verified" in str(error)
    assert WHEEL not in github.releases[0].contents()
    assert heard.uploaded == IN_ORDER[:-1]


# --- read back --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tells_digests", [True, False])
def test_what_is_there_is_read_back(
    github: FakeGitHub, client: Client, files: list[ReleaseFile], *, tells_digests: bool
) -> None:
    client.publish(files)
    github.tells_digests = tells_digests
    assert {back.state for back in client.read_back(files).values()} == {"same"}
    assets = {asset.name: asset for asset in github.releases[0].assets}
    assets[BUNDLE].content = b"bundlE"
    assets[WHEEL].state = "starter"
    github.releases[0].assets.remove(assets[LIST])
    backs = client.read_back(files)
    assert (backs[BUNDLE].state, backs[BUNDLE].detail) == ("differs", "has other bytes")
    assert (backs[WHEEL].state, backs[WHEEL].detail) == ("unreadable", "is there in part only")
    assert (backs[LIST].state, backs[LIST].detail) == ("unreadable", "is not there")


def test_a_release_that_is_not_there_has_nothing(client: Client, files: list[ReleaseFile]) -> None:
    assert {back.state for back in client.read_back(files).values()} == {"unreadable"}
