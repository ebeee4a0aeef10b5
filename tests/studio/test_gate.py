"""Access: only the studio's own page with the token is admitted."""

import pytest

from tests.studio.conftest import HOST, TOKEN, Studio


def test_the_token_in_the_address_becomes_a_cookie_and_leaves_the_address(studio: Studio) -> None:
    client = studio(token=False)
    answer = client.get(f"/?token={TOKEN}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    page = client.get("/")
    assert page.status_code == 200
    assert TOKEN not in page.text


@pytest.mark.parametrize(
    "path", ["/", "/?token=", "/?token=wrong", "/?token=%C3%BC", "/page/main.js", "/api/state", "/nowhere"]
)
def test_without_the_token_everything_is_refused(studio: Studio, path: str) -> None:
    answer = studio(token=False).get(path)
    assert answer.status_code == 403
    assert "no token" in answer.json()["error"]


def test_a_wrong_cookie_is_refused(studio: Studio) -> None:
    client = studio(token=False)
    client.cookies.set("reverb-studio", TOKEN[:-1])
    assert client.get("/api/state").status_code == 403
    assert (
        client.get(f"/api/state?token={TOKEN}").status_code == 403
    )  # a token in the address is for the page only


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": f"https://{HOST}"},
        {"origin": "http://127.0.0.1:9999"},
        {"host": "evil.example:8765"},
        {"host": "127.0.0.1:9999"},
        {"host": ""},
        {"host": "localhost:8765", "origin": f"http://{HOST}"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_requests_from_elsewhere_are_refused_with_the_token_too(
    studio: Studio, headers: dict[str, str], method: str
) -> None:
    client = studio()
    for path in ("/api/state", f"/?token={TOKEN}"):
        answer = client.request(method, path, headers=headers)
        assert answer.status_code == 403, path
        assert "not a request of this studio's own page" in answer.json()["error"]


def test_the_studios_own_page_is_admitted(studio: Studio) -> None:
    client = studio()
    for headers in (
        {"origin": f"http://{HOST}", "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
    ):
        assert client.get("/api/state", headers=headers).status_code == 200


def test_every_answer_has_the_security_headers(studio: Studio) -> None:
    client = studio()
    for path in ("/", "/page/main.js", "/api/state", "/nowhere"):
        headers = client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    "path",
    ["/page/../app.py", "/page/%2e%2e/app.py", "/page/..%2fapp.py", "/page//etc/passwd", "/page/", "/etc/passwd",
     "/api/recordings/..%2f..%2fetc%2fpasswd/audio", "/api/renders/..%2f/file", "/api/rooms/church/decay"],
)  # fmt: skip
def test_no_path_is_reached_through_an_address(studio: Studio, path: str) -> None:
    answer = studio().get(path)
    assert answer.status_code == 404
    assert "root:" not in answer.text
    assert "import" not in answer.text
