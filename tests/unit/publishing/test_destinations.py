"""Destinations: each has its turn, says what it drops, and is told apart from what another one does."""

from __future__ import annotations

import pytest

from hatch_sign.contract import Published, ReleaseFile
from hatch_sign.publishing.reports import DestinationReport, Withheld
from hatch_sign.values.errors import ConfigurationError, PluginError, PublishError, RejectedError, UsageError

from .releases import Place, PreviewingPlace, Project, listening


def test_what_one_destination_fails_by_keeps_no_other_from_its_turn(project: Project) -> None:
    project.add("a.bin")

    def refuse(file: ReleaseFile) -> None:
        if file.name == "a.bin.sigstore.json":
            message = "https://down.example/: 503"
            raise PublishError(message, remedy="run again")

    down, up = Place("down", during=refuse), Place("up")
    report = project.publish(down, up)
    assert report.exit_code == 3
    assert [str(failure) for failure in report.failures] == ["https://down.example/: 503; run again"]
    first, second = report.destinations
    assert first.published == [Published("a.bin", "uploaded")]
    assert (first.done, second.done) == (False, True)
    assert sorted(up.kept) == ["a.bin", "a.bin.sigstore.json"]
    down.during = lambda _: None
    again = project.publish(down, up)
    assert again.exit_code == 0
    assert again.destinations[0].published == [Published("a.bin", "present"), Published("a.bin.sigstore.json", "uploaded")]


@pytest.mark.parametrize("error", [ValueError("pypi-secret"), SystemExit("pypi-secret"), OSError(5, "pypi-secret")])
def test_what_a_publisher_raises_is_told_without_its_text(project: Project, error: BaseException) -> None:
    project.add("a.bin")

    def fail(_: ReleaseFile) -> None:
        raise error

    report = project.publish(Place(during=fail))
    assert (report.exit_code, "pypi-secret" in str(report.failures)) == (2, False)
    assert f"the publisher place failed: {type(error).__name__}" in str(report.failures[0])


def test_a_package_that_a_publisher_lacks_is_named(project: Project) -> None:
    project.add("a.bin")

    def fail(_: ReleaseFile) -> None:
        error = ModuleNotFoundError("No module named 'twine'", name="twine")
        raise error

    report = project.publish(Place(during=fail))
    assert str(report.failures[0]).startswith("the publisher place needs the module twine")


def test_the_gravest_failure_gives_the_exit_code(project: Project) -> None:
    project.add("a.bin")

    def fail(_: ReleaseFile) -> None:
        message = "down"
        raise PublishError(message)

    report = project.publish(Place("down", during=fail), Place("altering", alters="a.bin"), Place("fine"))
    assert (report.exit_code, len(report.failures)) == (1, 2)
    with pytest.raises(RejectedError, match=r"what https://altering\.example/ has as a\.bin is not what was verified"):
        report.raise_failure()


def test_a_place_that_tells_nothing_afterwards_is_believed_its_answers(project: Project) -> None:
    project.add("a.bin")
    report = project.publish(Place(tells_nothing=True))
    assert (report.exit_code, report.destinations[0].read_back) == (0, ())


def test_a_place_that_is_silent_about_a_file_has_failed(project: Project) -> None:
    project.add("a.bin")
    report = project.publish(Place(forgets="a.bin"))
    assert report.exit_code == 3
    assert "https://place.example/ did not say what became of a.bin" in str(report.failures[0])


def test_what_a_place_drops_is_known_before_anything_is_sent(project: Project) -> None:
    project.add("a.bin")
    told: list[tuple[Withheld, ...]] = []

    def hear(destination: DestinationReport, _: object) -> None:
        assert destination.published == []
        told.append(destination.drops)

    place = Place(dropping={".json": "it takes no bundles"})
    report = project.publish(place, listener=listening("begins", hear))
    assert report.exit_code == 0
    assert told == [(Withheld("a.bin.sigstore.json", "it takes no bundles"),)]
    assert list(place.kept) == ["a.bin"]


def test_a_place_that_keeps_no_artifact_is_misuse(project: Project) -> None:
    project.add("a.bin")
    place = Place(dropping={".bin": "it takes wheels"})
    report = project.publish(place)
    assert (report.exit_code, place.calls) == (2, ["enter", "leave"])
    assert isinstance(report.failures[0], UsageError)
    assert "would keep none of the artifacts: a.bin: it takes wheels" in str(report.failures[0])


def test_a_dry_run_opens_nothing_and_says_what_is_known(project: Project) -> None:
    project.add("a.bin")
    telling = PreviewingPlace("telling", dropping={".json": "it takes no bundles"})
    silent, useless = Place("silent"), PreviewingPlace("useless", dropping={"": "it takes nothing"})
    report = project.publish(telling, silent, useless, dry_run=True)
    assert (telling.calls, silent.calls, useless.calls) == ([], [], [])
    first, second, third = report.destinations
    assert (first.title, len(first.drops)) == ("https://telling.example/", 1)
    assert (second.title, second.error, second.done) == ("", None, False)
    assert isinstance(third.error, UsageError)
    assert report.exit_code == 2


def test_settings_that_say_nothing_are_told_before_the_first_place_has_anything(project: Project) -> None:
    project.add("a.bin")

    class Unsure(PreviewingPlace):
        def preview(self, *_: object) -> object:  # type: ignore[override] # it raises
            message = "no path"
            raise ConfigurationError(message)

    first = Place("first")
    with pytest.raises(ConfigurationError, match="no path"):
        project.publish(first, Unsure("last"))
    assert first.calls == []


def test_a_publisher_that_cannot_even_be_opened_is_named(project: Project) -> None:
    project.add("a.bin")

    class Broken(Place):
        def open(self, *_: object) -> object:  # type: ignore[override] # it raises
            message = "pypi-secret"
            raise RuntimeError(message)

    with pytest.raises(PluginError, match="the publisher broken failed: RuntimeError") as caught:
        project.publish(Broken("broken"))
    assert "pypi-secret" not in str(caught.value)
