"""``hatch-sign config check``: reads everything, opens no key."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from hatch_sign.cli.commands import build_parser, load_command
from hatch_sign.cli.console import Console
from hatch_sign.cli.environment import Environment
from hatch_sign.registry import Registry
from hatch_sign.registry.entries import installed_entries
from hatch_sign.values.errors import ConfigurationError, UsageError
from hatch_sign.values.outcomes import SOON
from hatch_sign.values.public_keys import encode_public_key_pem

NOW = datetime(2026, 6, 1, tzinfo=UTC)
YEAR = timedelta(days=365)
TEXT = """\
[tool.hatch-sign]
key = "pkcs11:token=release;object=signing?pin-source=env:NO_SUCH_PIN"
formats = ["sigstore"]
[[tool.hatch-sign.verify.trust]]
public-key = "release.pub"
artifacts = ["*.whl"]
not-before = 2026-01-01
not-after = 2027-12-31
"""

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(TEXT)
    (tmp_path / "release.pub").write_bytes(_pem())
    return tmp_path


@pytest.fixture
def run(folder: Path) -> Run:
    """Run a command in `folder`; return its exit code, and what it wrote to standard output and standard error."""

    def run(
        *arguments: str,
        environ: Mapping[str, str] | None = None,
        registry: Registry | None = None,
    ) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        environment = Environment(Console(out, err), environ or {}, folder, lambda: NOW)
        if registry is not None:
            environment.registry = registry
        parsed = build_parser([arguments[0]]).parse_args(arguments)
        code = load_command(arguments[0]).run(parsed, environment)
        return code, out.getvalue(), err.getvalue()

    return run


def _pem() -> bytes:
    return encode_public_key_pem(ec.generate_private_key(ec.SECP256R1()).public_key())


def test_check_says_what_is_signed_and_trusted(run: Run, folder: Path) -> None:
    alone = Registry([entry for entry in installed_entries() if entry.distribution == "hatch-sign"])
    code, out, err = run("config", "check", registry=alone)
    assert code == 0
    assert out.splitlines() == [
        f"{folder / 'pyproject.toml'}: no mistakes",
        "signs * with pkcs11:token=release;object=signing as sigstore",
        "requires sigstore",
        "trusts verify.trust[0] (public-key release.pub) for *.whl from 2026-01-01 00:00:00Z until 2027-12-31 23:59:59Z",
    ]
    remedy = "install hatch-sign-pkcs11 from where hatch-sign came from"
    assert err == f"hatch-sign: warning: no backend named 'pkcs11' is installed; {remedy}\n"


def test_check_writes_one_document(run: Run, folder: Path) -> None:
    code, out, _ = run("config", "check", "--json")
    document = json.loads(out)
    assert code == 0
    assert document["configuration"] == str(folder / "pyproject.toml")
    assert document["signatures"][0]["key"] == "pkcs11:token=release;object=signing"
    assert document["require"] == ["sigstore"]
    assert document["trust"][0]["not-after"] == "2027-12-31T23:59:59.999999+00:00"


def test_check_reads_every_file_and_tells_of_all_that_are_wrong(run: Run, folder: Path) -> None:
    text = TEXT.replace("formats", 'certificates = "chain.pem"\nformats', 1)
    (folder / "pyproject.toml").write_text(text)
    (folder / "release.pub").write_text("nothing")
    with pytest.raises(ConfigurationError) as caught:
        run("config", "check")
    chain, key = caught.value.problems
    assert "chain.pem cannot be read" in chain
    assert "release.pub: not a PEM public key" in key


def test_check_warns_where_nobody_is_trusted(run: Run, folder: Path) -> None:
    (folder / "pyproject.toml").write_text('[tool.hatch-sign]\nkey = "emulated:release"\n')
    code, _, err = run("config", "check")
    assert code == 0
    assert err == "hatch-sign: warning: nobody is trusted: write [[tool.hatch-sign.verify.trust]] before verifying\n"


def test_check_opens_no_key(run: Run, folder: Path) -> None:
    (folder / "pyproject.toml").write_text(TEXT.replace("pkcs11:token=release;object=signing", "emulated:release"))
    code, _, err = run("config", "check", environ={"HATCH_SIGN_HOME": str(folder / "home")})
    assert (code, err) == (0, "")
    assert not (folder / "home").exists()


def test_check_needs_a_configuration(run: Run, folder: Path) -> None:
    (folder / "pyproject.toml").unlink()
    with pytest.raises(ConfigurationError, match="holds no configuration; write a table"):
        run("config", "check")


def _certificate(subject: str, begins: datetime, ends: datetime) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name.from_rfc4514_string(subject)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, begins, ends)
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM)


CERTIFIED = """\
[[verify.trust]]
certificate-roots = "roots.pem"
subject = "CN=Example Ltd,C=SI"
"""


def test_check_says_whom_the_roots_may_vouch_for(run: Run, folder: Path) -> None:
    (folder / "mine.toml").write_text(CERTIFIED)
    (folder / "roots.pem").write_bytes(_certificate("CN=Root", NOW - YEAR, NOW + YEAR))
    code, out, err = run("config", "check", "--config", "mine.toml")
    assert (code, err) == (0, "")
    assert "trusts verify.trust[0] (certificate-roots roots.pem) with subject CN=Example Ltd,C=SI" in out.splitlines()


def test_mistakes_of_rules_files_and_plugins_are_told_together(run: Run, folder: Path) -> None:
    (folder / "roots.pem").write_bytes(_certificate("CN=Root", NOW - YEAR, NOW + YEAR))
    (folder / "mine.toml").write_text(
        """
        key = "emulated:release"
        certificates = "absent.pem"
        timestamp = ["https://tsa.example"]
        observers = ["audi", "audit", "other"]
        audit-file = "."
        """
        + CERTIFIED.partition("subject")[0]
    )
    with pytest.raises(ConfigurationError) as caught:
        run("config", "check", "--config", "mine.toml")
    assert caught.value.message == f"the configuration {folder / 'mine.toml'} holds 5 mistakes"
    expected = [
        f"certificates: {folder / 'absent.pem'} cannot be read: No such file",
        "observers: no observer named 'audi' is installed",
        "observers: no observer named 'other' is installed",
        f"audit-file: {folder} is a folder; name a file",
        "verify.trust[0] (certificate-roots roots.pem): lacks `subject`",
    ]
    assert [found[: len(text)] for found, text in zip(caught.value.problems, expected, strict=True)] == expected


def test_a_missing_file_of_contents_is_called_by_its_own_key(run: Run, folder: Path) -> None:
    (folder / "mine.toml").write_text('key = "emulated:release"\n[contents]\ncertificates = "absent.pem"\n')
    with pytest.raises(ConfigurationError, match=r"holds a mistake: contents\.certificates: .*absent\.pem cannot be read"):
        run("config", "check", "--config", "mine.toml")
    (folder / "mine.toml").write_text('key = "emulated:release"\ncertificates = "absent.pem"\n[contents]\n')
    with pytest.raises(ConfigurationError, match=r"holds a mistake: certificates: .*absent\.pem cannot be read"):
        run("config", "check", "--config", "mine.toml")


@pytest.mark.parametrize("where", ['formats = ["authenticode"]', "[contents]"])
def test_a_setting_that_a_format_does_not_take_is_a_mistake(run: Run, folder: Path, where: str) -> None:
    text = f'key = "emulated:release"\n{where}\nauthenticode-hash = '
    (folder / "mine.toml").write_text(text + '"sha1"\n')
    with pytest.raises(ConfigurationError, match="holds a mistake: format authenticode: `authenticode-hash` is 'sha1'"):
        run("config", "check", "--config", "mine.toml")
    (folder / "mine.toml").write_text(text + '"sha384"\n')
    assert run("config", "check", "--config", "mine.toml")[0] == 0


def test_timestamps_are_summed_up(run: Run, folder: Path) -> None:
    text = 'key = "emulated:release"\ntimestamp = ["https://a.example", "https://b.example"]\n'
    (folder / "mine.toml").write_text(f'{text}[verify]\ntimestamp-roots = "tsa.pem"\n')
    (folder / "tsa.pem").write_bytes(_certificate("CN=Root", NOW - YEAR, NOW + YEAR))
    code, out, err = run("config", "check", "--config", "mine.toml")
    assert code == 0
    assert out.splitlines()[1] == (
        "signs * with emulated:release as sigstore, timestamped by https://a.example or https://b.example"
    )
    assert "timestamp-roots" not in err


def test_an_optional_timestamp_is_called_so(run: Run, folder: Path) -> None:
    text = 'key = "emulated:release"\ntimestamp = ["https://a.example"]\n'
    (folder / "mine.toml").write_text(f"{text}timestamp-optional = true\n")
    assert "timestamped by https://a.example where one of them answers" in run("config", "check", "--config", "mine.toml")[1]
    (folder / "mine.toml").write_text(text)
    assert "where one of them answers" not in run("config", "check", "--config", "mine.toml")[1]


def test_timestamps_that_nobody_would_believe_are_warned_of(run: Run, folder: Path) -> None:
    text = 'key = "emulated:release"\ntimestamp = ["https://a.example"]\n'
    (folder / "mine.toml").write_text(text + CERTIFIED)
    (folder / "roots.pem").write_bytes(_certificate("CN=Root", NOW - YEAR, NOW + YEAR))
    code, _, err = run("config", "check", "--config", "mine.toml")
    assert code == 0
    assert "`timestamp` is configured, and no `timestamp-roots` under `verify`: verifying will believe none of them" in err
    (folder / "mine.toml").write_text(CERTIFIED)
    assert "timestamp" not in run("config", "check", "--config", "mine.toml")[2]


def test_timestamp_roots_that_cannot_be_read_are_a_mistake_though_nobody_is_trusted(run: Run, folder: Path) -> None:
    (folder / "mine.toml").write_text('[verify]\ntimestamp-roots = "absent.pem"\n')
    with pytest.raises(ConfigurationError, match=r"holds a mistake: verify\.timestamp-roots: .*absent\.pem cannot be read"):
        run("config", "check", "--config", "mine.toml")


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("begins", "ends", "warning"),
    [
        (NOW - DAY, NOW + SOON + DAY, ""),
        (NOW, NOW + SOON, "ends at 2026-07-01 00:00:00Z"),
        (NOW - DAY, NOW, "ends at 2026-06-01 00:00:00Z"),
        (NOW - 2 * DAY, NOW - DAY, "ended at 2026-05-31 00:00:00Z"),
        (NOW + DAY, NOW + YEAR, "begins at 2026-06-02 00:00:00Z"),
    ],
)
def test_rules_and_certificates_whose_time_is_not_now_or_not_for_long(
    begins: datetime, ends: datetime, warning: str, run: Run, folder: Path
) -> None:
    text = 'key = "emulated:release"\ncertificates = "chain.pem"\n[[verify.trust]]\npublic-key = "release.pub"\n'
    (folder / "mine.toml").write_text(f"{text}not-before = {begins.isoformat()}\nnot-after = {ends.isoformat()}\n")
    (folder / "chain.pem").write_bytes(_certificate("CN=Example Ltd", begins, ends))
    code, _, err = run("config", "check", "--config", "mine.toml")
    assert code == 0
    expected = [
        f"hatch-sign: warning: the trust rule verify.trust[0] (public-key release.pub) {warning}",
        f"hatch-sign: warning: {folder / 'chain.pem'}: the certificate of CN=Example Ltd {warning}",
    ]
    assert err.splitlines() == (expected if warning else [])


def test_advice_is_for_the_file_that_was_read(run: Run, folder: Path) -> None:
    (folder / "mine.toml").write_text('key = "emulated:release"\n')
    _, _, err = run("config", "check", "--config", "mine.toml")
    assert err == "hatch-sign: warning: nobody is trusted: write [[verify.trust]] before verifying\n"


# --- trust export -------------------------------------------------------------------------------------------------------


def test_export_prints_one_file_that_checks(run: Run, folder: Path) -> None:
    code, out, _ = run("trust", "export")
    assert code == 0
    (folder / "consumer").mkdir()
    (folder / "consumer" / "mine.toml").write_text(out)
    (folder / "release.pub").unlink()
    checked, summary, _ = run("config", "check", "--config", "consumer/mine.toml")
    assert checked == 0
    assert "trusts verify.trust[0] (public-key, inline) for *.whl from 2026-01-01" in summary


def test_export_writes_a_file_and_replaces_it_only_when_told(run: Run, folder: Path) -> None:
    code, out, err = run("trust", "export", "-o", "mine.toml")
    assert (code, out) == (0, "")
    assert err == f"hatch-sign: wrote {folder / 'mine.toml'}, from {folder / 'pyproject.toml'}\n"
    written = (folder / "mine.toml").read_bytes()
    (folder / "release.pub").write_bytes(_pem())
    with pytest.raises(UsageError, match=r"mine\.toml exists; name another file, or add --overwrite"):
        run("trust", "export", "-o", "mine.toml")
    assert (folder / "mine.toml").read_bytes() == written
    run("trust", "export", "-o", "mine.toml", "--overwrite")
    assert (folder / "mine.toml").read_bytes() != written


def test_export_of_wrong_trust_leaves_no_file(run: Run, folder: Path) -> None:
    (folder / "release.pub").write_text("nothing")
    with pytest.raises(ConfigurationError):
        run("trust", "export", "-o", "mine.toml")
    assert not (folder / "mine.toml").exists()
