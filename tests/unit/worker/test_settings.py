import re
from pathlib import Path

import pytest

from worker.errors import SettingsError
from worker.settings import Settings, effective, load_settings, unknown_variables


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch, tmp_path):
    for name in Settings.model_fields:
        monkeypatch.delenv(f"VIGIL_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)


def test_every_setting_has_a_default():
    settings = load_settings()

    assert settings.kafka_bootstrap_servers == "127.0.0.1:9092"


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("HTTP_PORT", "abc", "a port from 1 to 65535"),
        ("PARTITIONS", "0", "a whole number from 1 to 256"),
        ("SESSION_TIMEOUT", "30", "6 to 10 seconds"),
        ("LOG_FORMAT", "xml", "auto (console at a terminal, else json), json or console"),
        ("GROUP", "a b", "letters, digits, dots, dashes"),
        ("KAFKA_CA_FILE", "/nowhere/ca.pem", "a PEM file"),
        ("KAFKA_BOOTSTRAP_SERVERS", "http://x:9092", "host:port of the brokers"),
        ("KAFKA_BOOTSTRAP_SERVERS", "localhost", "host:port of the brokers"),
        ("KAFKA_BOOTSTRAP_SERVERS", "a:9092,", "host:port of the brokers"),
        ("KAFKA_BOOTSTRAP_SERVERS", "a:0", "host:port of the brokers"),
        ("KAFKA_BOOTSTRAP_SERVERS", "a:65536", "host:port of the brokers"),
        ("KAFKA_SECURITY_PROTOCOL", "TLS", "PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL"),
        *(("PROCESSES", wrong, "or a whole number from 1 to 16") for wrong in ("0", "17", "many", "2.5")),
    ],
)
def test_a_wrong_setting_is_one_line_that_says_what_would_be_right(monkeypatch, name, value, right):
    monkeypatch.setenv(f"VIGIL_{name}", value)

    with pytest.raises(SettingsError) as raised:
        load_settings()

    (line,) = str(raised.value).splitlines()
    assert line.startswith(f"VIGIL_{name}: ")
    assert value in line
    assert right in line


@pytest.mark.parametrize("value", ["a:9092", "a:9092,b-1.example:9093", "127.0.0.1:65535", "[::1]:9092"])
def test_addresses_of_brokers_may_be_of_every_kind(monkeypatch, value):
    monkeypatch.setenv("VIGIL_KAFKA_BOOTSTRAP_SERVERS", value)

    assert load_settings().kafka_bootstrap_servers == value


def test_blanks_between_addresses_cost_nothing(monkeypatch):
    monkeypatch.setenv("VIGIL_KAFKA_BOOTSTRAP_SERVERS", "a:1, b:2")

    assert load_settings().kafka_bootstrap_servers == "a:1,b:2"


def test_what_would_be_right_is_said_once(monkeypatch):
    monkeypatch.setenv("VIGIL_SESSION_TIMEOUT", "30")

    with pytest.raises(SettingsError) as raised:
        load_settings()

    assert str(raised.value).startswith(
        "VIGIL_SESSION_TIMEOUT: '30' will not do; it should be 6 to 10 seconds"
    )
    assert str(raised.value).count("10") == 1


def test_every_wrong_setting_is_told_at_once(monkeypatch):
    monkeypatch.setenv("VIGIL_HTTP_PORT", "abc")
    monkeypatch.setenv("VIGIL_PARTITIONS", "many")

    with pytest.raises(SettingsError) as raised:
        load_settings()

    assert len(str(raised.value).splitlines()) == 2


@pytest.mark.parametrize(
    "url", ["postgresql://u:geheim@h/db", "postgresql+asyncpg://u:geheim@h", "geheim", "mysql://u:geheim@h/d"]
)
def test_a_wrong_address_of_the_database_is_refused_and_never_shown(monkeypatch, url):
    monkeypatch.setenv("VIGIL_DATABASE_URL", url)

    with pytest.raises(SettingsError) as raised:
        load_settings()

    assert "geheim" not in str(raised.value)
    assert "postgresql+asyncpg://user:password@host:port/database" in str(raised.value)


@pytest.mark.parametrize(
    ("parameters", "wrong"),
    [
        (
            "sslmode=verify_full",
            "has the sslmode verify_full, which is none of disable, allow, prefer, require",
        ),
        ("ssl=true", "has the sslmode true"),
        (
            "sslrootcert=/nowhere/ca.pem",
            "names as sslrootcert /nowhere/ca.pem, which cannot be read (No such file",
        ),
        ("sslkey=/", "names as sslkey /, which cannot be read (Is a directory)"),
        ("sslmod=require", "has the parameter sslmod, which is unknown"),
    ],
)
def test_a_wrong_parameter_of_the_database_is_told_in_one_line(monkeypatch, parameters, wrong):
    monkeypatch.setenv("VIGIL_DATABASE_URL", f"postgresql+asyncpg://u:geheim@h/db?{parameters}")

    with pytest.raises(SettingsError) as raised:
        load_settings()

    (line,) = str(raised.value).splitlines()
    assert wrong in line
    assert "it should be postgresql+asyncpg://" in line
    assert "geheim" not in line


def test_the_password_of_a_key_is_not_shown(monkeypatch):
    monkeypatch.setenv(
        "VIGIL_DATABASE_URL", "postgresql+asyncpg://u:p@h/db?sslmode=require&sslpassword=geheim"
    )

    (shown,) = [
        value for variable, value, _ in effective(load_settings()) if variable == "VIGIL_DATABASE_URL"
    ]

    assert shown == "postgresql+asyncpg://u:***@h/db?sslmode=require&sslpassword=%2A%2A%2A"


def test_sasl_without_a_name_says_which_settings_are_missing(monkeypatch):
    monkeypatch.setenv("VIGIL_KAFKA_SECURITY_PROTOCOL", "SASL_SSL")

    with pytest.raises(SettingsError, match="needs VIGIL_KAFKA_SASL_USERNAME and VIGIL_KAFKA_SASL_PASSWORD"):
        load_settings()


def test_an_empty_variable_means_not_set(monkeypatch):
    monkeypatch.setenv("VIGIL_INSTANCE_ID", "")

    assert load_settings().instance_id is None


def test_it_is_told_where_each_setting_comes_from(monkeypatch, tmp_path):
    monkeypatch.setenv("VIGIL_GROUP", "one")
    (tmp_path / ".env").write_text("VIGIL_GROUP=other\nVIGIL_SITE=north\n")

    origins = {variable: (value, origin) for variable, value, origin in effective(load_settings())}

    assert origins["VIGIL_GROUP"] == ("one", "environment")
    assert origins["VIGIL_SITE"] == ("north", ".env")
    assert origins["VIGIL_HTTP_PORT"] == ("8000", "default")


def test_no_secret_is_shown(monkeypatch):
    monkeypatch.setenv("VIGIL_DATABASE_URL", "postgresql+asyncpg://u:geheim@h:5/db")
    monkeypatch.setenv("VIGIL_KAFKA_SASL_PASSWORD", "geheim")

    shown = {variable: value for variable, value, _ in effective(load_settings())}

    assert "geheim" not in repr(shown)
    assert shown["VIGIL_DATABASE_URL"] == "postgresql+asyncpg://u:***@h:5/db"


def test_a_misspelt_setting_is_noticed():
    assert unknown_variables({"VIGIL_HTTP_PROT": "1", "VIGIL_GROUP": "x", "PATH": "y"}) == ["VIGIL_HTTP_PROT"]


@pytest.mark.parametrize(
    "name", ["VIGIL_TEST_DATABASE_URL", "VIGIL_POSTGRES_PASSWORD", "VIGIL_GRAFANA_PASSWORD"]
)
def test_what_tests_and_the_compose_file_read_is_not_misspelt(name):
    assert unknown_variables({name: "1"}) == []


def test_every_setting_says_what_would_be_right():
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_the_readme_tells_of_every_setting():
    readme = (Path(__file__).parents[3] / "worker" / "README.md").read_text()

    missing = [
        name
        for name, field in Settings.model_fields.items()
        if f"| `VIGIL_{name.upper()}` |" not in readme or f"| {field.description} |" not in readme
    ]
    assert missing == []


def test_an_option_comes_before_the_environment(monkeypatch):
    monkeypatch.setenv("VIGIL_PARTITIONS", "3")

    assert load_settings(partitions=5, replication_factor=None).partitions == 5
    assert not re.search("geheim", repr(load_settings()))
