"""The collector as its program runs, set to an OpenID provider: somebody is added, and comes in."""

import re
from pathlib import Path

import httpx

from mektep_collector.clock import SystemTime
from tests.support.openid_provider import CLIENT_ID, CLIENT_SECRET, log_in_there, openid_provider
from tests.support.running_collector import program, running_collector


def test_a_person_of_the_provider_is_added_and_comes_in(tmp_path: Path) -> None:
    data_dir, secret, settings = tmp_path / "data", tmp_path / "secret", tmp_path / "collector.toml"
    secret.write_text(CLIENT_SECRET + "\n")
    with openid_provider(SystemTime()) as provider:
        settings.write_text(
            f'pages_for = "people"\noidc_issuer = "{provider.issuer}"\noidc_client_id = "{CLIENT_ID}"\n'
            f'oidc_client_secret_file = "{secret}"\noidc_name = "Bilim ID"\n'
        )
        program("people", "add", "Aigerim@edu.example", "--role", "analyst", "--oidc", data_dir=data_dir)
        with running_collector(data_dir, "--no-measure", "--config", str(settings)) as collector:
            assert provider.asked == [], "the provider is asked nothing before somebody comes"
            with httpx.Client(base_url=collector.url, trust_env=False) as browser:
                page = browser.get("/login?lang=ru")
                assert "Войти через: Bilim ID" in page.text
                (link,) = re.findall(r'href="(/login/oidc[^"]*)"', page.text)
                back = browser.get(log_in_there(browser, browser.get(link).headers["location"]))
                assert (back.status_code, back.headers["location"]) == (303, "/")
                assert "aigerim@edu.example" in browser.get("/").text
            collector.end()
        log = "".join(collector.log)
        assert '"login":"aigerim@edu.example"' in log
        assert [each for each in (*provider.issued, CLIENT_SECRET) if each in log] == []
