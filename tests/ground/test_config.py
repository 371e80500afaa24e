"""Settings: sources in order, clear refusals, production's demands."""

from pathlib import Path

import pytest

from sanpo.ground.config import SettingIsInvalid, SettingIsUnknown, load_settings
from sanpo.ground.keys import MasterSecretIsMissing, open_keys


def test_environment_wins_over_file_wins_over_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sanpo.toml").write_text('city_name_en = "Aizu"\nport = 9000\n')
    monkeypatch.setenv("SANPO_PORT", "9001")
    settings, shown = load_settings(folder=tmp_path)
    assert (settings.city_name_en, settings.port, settings.timezone) == ("Aizu", 9001, "Asia/Tokyo")
    sources = {setting.name: setting.source for setting in shown}
    assert sources["port"] == "SANPO_PORT"
    assert sources["city_name_en"].endswith("sanpo.toml")
    assert sources["timezone"] == "default"


def test_secret_is_never_printed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SANPO_MASTER_SECRET", "s" * 40)
    _, shown = load_settings(folder=tmp_path)
    assert "s" * 40 not in str(shown)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SANPO_PORT", "eighty"),
        ("SANPO_TIMEZONE", "Asia/Nowhere"),
        ("SANPO_MODE", "party"),
        ("SANPO_MASTER_SECRET", "short"),
    ],
)
def test_setting_is_refused_when_it_cannot_be_used(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingIsInvalid):
        load_settings(folder=tmp_path)


def test_unknown_setting_in_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sanpo.toml").write_text("prot = 1\n")
    with pytest.raises(SettingIsUnknown):
        load_settings(folder=tmp_path)


def test_demo_is_refused_on_another_address_than_loopback(tmp_path: Path) -> None:
    with pytest.raises(SettingIsInvalid):
        load_settings({"mode": "demo", "host": "0.0.0.0"}, folder=tmp_path)


def test_production_is_refused_without_its_secret(tmp_path: Path) -> None:
    with pytest.raises(MasterSecretIsMissing):
        open_keys(tmp_path, "", demo=False)


def test_demo_keys_stay_the_same_and_are_closed_to_others(tmp_path: Path) -> None:
    first, second = open_keys(tmp_path, "", demo=True), open_keys(tmp_path, "", demo=True)
    assert first.public_bytes == second.public_bytes
    assert (tmp_path / "keys" / "master").stat().st_mode & 0o077 == 0
