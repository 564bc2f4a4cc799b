"""The connection to an index: twine's own settings, credentials and session, with limits that twine does not set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hatch_sign.publishers.index.settings import is_address
from hatch_sign.publishers.index.silence import prompts_only, silence
from hatch_sign.publishers.index.translate import configuration_error, credential_error
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError, PluginError

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import PreparedRequest, Session
    from twine.repository import Repository
    from twine.settings import Settings

    from hatch_sign.publishers.index.pace import Pace
    from hatch_sign.publishers.index.settings import IndexSettings


def load_twine(chosen: IndexSettings, *, interactive: bool) -> Settings:
    """Return twine's settings: the repository of ``.pypirc`` or of the settings. Asks for no credential.

    Raises PluginError where twine is not installed, ConfigurationError for a ``.pypirc`` or a repository that is none.
    """
    try:
        from twine import settings  # noqa: PLC0415 - an extra, and 300 ms
    except ImportError:
        message = "publishing to an index needs the package twine, which is not installed"
        raise PluginError(message, remedy='pip install "twine>=6.1"') from None
    options: dict[str, Any] = {} if chosen.config_file is None else {"config_file": chosen.config_file}
    try:
        with silence():
            loaded = settings.Settings(
                username=chosen.username,
                password=chosen.password,
                non_interactive=chosen.non_interactive or not interactive,
                comment=chosen.comment,
                skip_existing=chosen.skip_existing,
                cacert=chosen.cert,
                client_cert=chosen.client_cert,
                repository_name=chosen.repository,
                repository_url=chosen.repository_url,
                disable_progress_bar=True,
                **options,
            )
            loaded.check_repository_url()
    except Exception as error:  # noqa: BLE001 - twine lets through what it reads .pypirc with, whose texts quote its lines
        raise configuration_error(error, chosen.repository) from None
    if not is_address(address_of(loaded)):
        message = f"the repository '{display(chosen.repository)}' has no http or https address in .pypirc"
        raise ConfigurationError(message, remedy='write it in full, as in "https://upload.pypi.org/legacy/"')
    return loaded


def address_of(loaded: Settings) -> str:
    """Return where uploads go, without a login."""
    return str(loaded.repository_config["repository"])


@dataclass(frozen=True, slots=True)
class Connection:
    """An index that can be asked. `reading` is a session without the credentials, for what other hosts tell of it."""

    repository: Repository
    reading: Session

    def close(self) -> None:
        """Give back all connections."""
        self.repository.close()
        self.reading.close()


def connect(loaded: Settings, pace: Pace) -> Connection:
    """Return a connection with the credentials found as twine finds them; no byte of a release is sent.

    They are those of ``TWINE_USERNAME`` and ``TWINE_PASSWORD``, of the address, ``.pypirc`` and the keyring, on PyPI those
    that Trusted Publishing gives, and what is typed on a terminal. Raises PublishError where there are none.
    """
    import requests  # noqa: PLC0415 - an extra, loaded by twine

    try:
        with prompts_only():
            repository = loaded.create_repository()
            _renew_tokens(repository, loaded)
    except Exception as error:  # noqa: BLE001 - keyrings, OIDC and TLS raise what they like, and their texts may hold a token
        raise credential_error(error, address_of(loaded)) from None
    if repository.session.auth:
        repository.session.auth = _bound(repository.session.auth, address_of(loaded))
    reading = requests.Session()
    reading.auth = _without_login
    reading.verify, reading.headers["User-Agent"] = repository.session.verify, repository.session.headers["User-Agent"]
    for session in (repository.session, reading):
        _limit(session, pace)
    return Connection(repository, reading)


def _renew_tokens(repository: Repository, loaded: Settings) -> None:
    """Let the session renew a token of Trusted Publishing, which lasts minutes, where twine can (7.0)."""
    if repository.session.auth and hasattr(loaded.auth, "authenticator"):
        repository.session.auth = loaded.auth.authenticator


def _bound(login: Any, address: str) -> Callable[[PreparedRequest], PreparedRequest]:  # noqa: ANN401 - as requests takes it
    """Return what logs in at the server of `address` alone, whatever else the session is sent to ask."""
    from requests.auth import HTTPBasicAuth  # noqa: PLC0415 - as above

    from hatch_sign.remote.http_transport import origin  # noqa: PLC0415 - where a network is asked only

    apply = HTTPBasicAuth(*login) if isinstance(login, tuple) else login

    def log_in(request: PreparedRequest) -> PreparedRequest:
        # By the address that is asked indeed: texts that name two hosts to two readers become plain on the way here.
        logged_in: PreparedRequest = apply(request) if origin(request.url or "") == origin(address) else request
        return logged_in

    return log_in


def _without_login(request: PreparedRequest) -> PreparedRequest:
    """Leave a request as it is: without this, logins of netrc would go to whatever host an index names."""
    return request


def _limit(session: Session, pace: Pace) -> None:
    """Let nothing be repeated but by us, nothing be waited for without end, and nothing be read before it is asked for."""
    from requests.adapters import HTTPAdapter  # noqa: PLC0415 - an extra, loaded by twine

    from hatch_sign.publishers.index.pools import limited_pools  # noqa: PLC0415 - as above

    limits, pools = pace.limits, limited_pools(pace)

    class LimitedAdapter(HTTPAdapter):
        def init_poolmanager(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - handed through as it is
            super().init_poolmanager(*arguments, **options)
            self.poolmanager.pool_classes_by_scheme = pools

        def proxy_manager_for(self, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - as above
            manager = super().proxy_manager_for(*arguments, **options)
            manager.pool_classes_by_scheme = pools
            return manager

        def send(self, request: Any, **options: Any) -> Any:  # type: ignore[override] # noqa: ANN401 - handed through as it is
            options["timeout"] = (limits.connect, limits.read)
            if isinstance(session.verify, str):  # else REQUESTS_CA_BUNDLE would win over what was configured
                options["verify"] = session.verify
            return super().send(request, **options)

    for scheme in ("http://", "https://"):
        session.mount(scheme, LimitedAdapter(max_retries=0))
    session.stream = True
    session.headers["Accept-Encoding"] = "identity"
