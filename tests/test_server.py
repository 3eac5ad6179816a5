"""What the program says of itself at its start."""

from wyoming_openai.configuration import read_settings
from wyoming_openai.service import announcement


def test_the_announcement_names_the_home_and_no_password_in_its_address() -> None:
    settings = read_settings({}, {"HASS_URL": "http://anna:geheim@home.example:8123", "HASS_TOKEN": "secret"})
    text = announcement(settings, settings, 10800)
    assert "http://home.example:8123" in text
    assert "port 10800" in text
    assert "geheim" not in text
    assert "secret" not in text
