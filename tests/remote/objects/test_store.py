"""Objects in a store like S3: read, listed, written; over TLS, through proxies, with each kind of credentials."""

import http.server
import json
import os
import shutil
import ssl
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "runs" / "kubeflow"))

from cluster import ACCESS, SECRET, Objects, running

from kfnb.errors import Unreadable
from kfnb.remote.objects import (
    AccessKeys,
    ObjectAddress,
    ObjectForbidden,
    ObjectInfo,
    ObjectMissing,
    ObjectStore,
    StoreAccess,
    StoreUnreachable,
    has_environment_credentials,
)

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3")
KEYS = AccessKeys(ACCESS, SECRET)


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    for name in [*os.environ]:
        if (
            name in VARIABLES
            or name.lower() in map(str.lower, VARIABLES)
            or name.startswith(("AWS_", "AZURE_", "GOOGLE_"))
        ):
            monkeypatch.delenv(name)


@pytest.fixture
def server():
    with running(Objects()) as objects:
        objects.held = {"f/a": b"one", "f/b/c": b"two"}
        yield objects


@pytest.fixture
def store(server):
    return ObjectStore(StoreAccess("s3", f"http://{server.address}", keys=KEYS))


def test_objects_are_written_read_and_measured(store):
    store.write("mlpipeline/new/ä b&c", b"data")
    assert store.read("mlpipeline/new/ä b&c") == b"data"
    assert store.size("mlpipeline/new/ä b&c") == 4
    store.write("mlpipeline/empty", b"")
    assert store.read("mlpipeline/empty") == b""


def test_a_range_is_all_that_is_fetched(store, server):
    server.held["large"] = bytes(range(256)) * 100_000
    assert store.read("mlpipeline/large", 256, 259) == b"\0\1\2"
    assert store.read("mlpipeline/large", 256 * 100_000 - 2) == b"\xfe\xff"
    assert store.read("mlpipeline/large", 5, 5) == b""
    assert b"".join(store.stream("mlpipeline/large")) == server.held["large"]


def test_a_folder_is_listed_at_one_depth_or_at_all(store, server):
    server.page = 1
    assert store.list_folder("mlpipeline/f") == [
        ObjectInfo("mlpipeline/f/b", folder=True),
        ObjectInfo("mlpipeline/f/a", 3),
    ]
    assert store.list_all("mlpipeline/f") == [
        ObjectInfo("mlpipeline/f/a", 3),
        ObjectInfo("mlpipeline/f/b/c", 3),
    ]
    assert {one.path for one in store.list_all("mlpipeline")} == {"mlpipeline/f/a", "mlpipeline/f/b/c"}
    assert store.list_folder("mlpipeline/nothing") == store.list_all("mlpipeline/nothing") == []


def test_a_large_file_is_written_in_parts_whose_progress_is_told(store, server, tmp_path):
    data = os.urandom(20_000_000)
    (tmp_path / "large").write_bytes(data)
    told = []
    store.write_file("mlpipeline/large", tmp_path / "large", told.append)
    assert server.held["large"] == data
    assert len([one for one in server.asked if "partNumber=" in one]) == 4
    assert told == [5 * 1024**2] * 3 + [20_000_000 - 15 * 1024**2]


@pytest.mark.parametrize("size", [0, 10, 5 * 1024**2])
def test_a_file_of_any_size_is_written_whole(store, server, tmp_path, size):
    (tmp_path / "file").write_bytes(b"x" * size)
    told = []
    store.write_file("mlpipeline/file", tmp_path / "file", told.append)
    assert server.held["file"] == b"x" * size
    assert sum(told) == size


def test_a_file_that_cannot_be_read_to_its_end_makes_no_object(store, server, tmp_path):
    (tmp_path / "large").write_bytes(b"x" * 20_000_000)

    def broken(count):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.write_file("mlpipeline/large", tmp_path / "large", broken)
    assert "large" not in server.held
    assert [one for one in server.asked if one.startswith("DELETE")]


# -- what goes wrong ---------------------------------------------------------------------------------------------


def test_missing_forbidden_and_unreachable_are_told_apart(store, server):
    with pytest.raises(ObjectMissing) as missing:
        store.read("mlpipeline/nothing")
    assert isinstance(missing.value, FileNotFoundError)
    with pytest.raises(ObjectMissing):
        store.size("mlpipeline/nothing")
    with pytest.raises(ObjectMissing):
        store.list_folder("no-such-bucket/x")
    stranger = ObjectStore(StoreAccess("s3", f"http://{server.address}", keys=AccessKeys("x", SECRET)))
    with pytest.raises(ObjectForbidden, match=r"does not allow reading mlpipeline/f/a: No such key\.$"):
        stranger.read("mlpipeline/f/a")
    with pytest.raises(ObjectForbidden, match=r"does not allow reading mlpipeline/f/a: Forbidden$"):
        stranger.size("mlpipeline/f/a")
    server.refuses = {"PUT"}
    with pytest.raises(ObjectForbidden, match=r"does not allow writing mlpipeline/x: Access Denied\.$"):
        store.write("mlpipeline/x", b"1")
    away = ObjectStore(StoreAccess("s3", "http://127.0.0.1:1", keys=KEYS))
    with pytest.raises(
        StoreUnreachable, match=r"store at 127\.0\.0\.1:1 does not answer: Connection refused$"
    ):
        away.read("mlpipeline/f/a")


def test_a_name_that_is_not_known_is_told():
    away = ObjectStore(StoreAccess("s3", "http://store.invalid:9000", keys=KEYS))
    with pytest.raises(StoreUnreachable, match=r"at store\.invalid:9000 does not answer: .*(lookup|resolve)"):
        away.read("b/x")


def test_a_store_that_does_not_answer_is_left_alone_for_a_while(monkeypatch):
    away = ObjectStore(StoreAccess("s3", "http://127.0.0.1:1", keys=KEYS))
    asked = []
    ask = away._for_short_requests
    monkeypatch.setattr(away, "_for_short_requests", lambda bucket: asked.append(bucket) or ask(bucket))
    for _ in range(3):
        with pytest.raises(StoreUnreachable, match=r"at 127\.0\.0\.1:1 does not answer"):
            away.size("b/x")
    assert asked == ["b"]
    monkeypatch.setattr("time.monotonic", lambda: away._silent[0] + 1)
    with pytest.raises(StoreUnreachable):
        away.size("b/x")
    assert asked == ["b", "b"]


@pytest.mark.parametrize("key", ["a//b", "a/../b", "./a", "a\tb"])
def test_a_key_that_is_no_plain_path_is_refused(store, key):
    with pytest.raises(Unreadable, match=r"reading mlpipeline/.* failed"):
        store.read(f"mlpipeline/{key}")


def test_what_fails_for_a_moment_is_asked_again(store, server):
    answer, failed = server.answer, []

    def once(handler, path, query):
        if not failed:
            failed.append(path)
            handler.reply(503, b"<Error><Code>SlowDown</Code></Error>")
        else:
            answer(handler, path, query)

    server.answer = once
    assert store.read("mlpipeline/f/a") == b"one"
    assert failed


def test_what_goes_on_failing_is_told_in_the_stores_own_words(store, server):
    server.answer = lambda handler, path, query: handler.reply(
        400, b"<Error><Code>Bad</Code><Message>It is &quot;bad&quot;.</Message></Error>"
    )
    with pytest.raises(Unreadable, match=r'answered 400 to reading mlpipeline/f/a: It is "bad"\.$'):
        store.read("mlpipeline/f/a")


@pytest.mark.parametrize(
    "wrong",
    ["ftp://x", "http://user:word@host", "http://host/path", "http://host?x", "host:9000", "http://a b"],
)
def test_an_endpoint_is_a_scheme_a_host_and_a_port(wrong):
    with pytest.raises(Unreadable, match="invalid endpoint"):
        StoreAccess("s3", wrong)


# -- addresses ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("s3://b/k/x", ObjectAddress("s3", "b", "k/x")),
        ("minio://b/k?endpoint=e", ObjectAddress("s3", "b", "k")),
        ("gs://b", ObjectAddress("gs", "b", "")),
        ("gs://b/a?b", ObjectAddress("gs", "b", "a?b")),
        ("azblob://c/k", ObjectAddress("az", "c", "k")),
        ("abfss://c@account.dfs.core.windows.net/k", ObjectAddress("az", "c", "k", "account")),
    ],
)
def test_an_address_names_its_service_bucket_and_key(uri, address):
    assert ObjectAddress.parse(uri) == address


@pytest.mark.parametrize("uri", ["abfs://c@account.evil.com/k", "file:///x", "s3:/b/x", "::s3://b/x"])
def test_other_addresses_are_refused(uri):
    with pytest.raises(Unreadable):
        ObjectAddress.parse(uri)


# -- TLS and proxies ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate that signed itself, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("makes a certificate by openssl")
    folder = tmp_path_factory.mktemp("tls")
    key, file = folder / "key.pem", folder / "ca.pem"
    words = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout {key} -out {file} -subj /CN=127.0.0.1"
    more = ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"]
    subprocess.run([*words.split(), *more], check=True, capture_output=True)
    return file, key


@pytest.fixture
def secure(server, certificate):
    """The server's address, over TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server._server.socket = context.wrap_socket(server._server.socket, server_side=True)
    server._server.handle_error = lambda *_: None  # a client that does not trust it hangs up
    return f"https://{server.address}"


def test_a_ca_file_of_ones_own_is_trusted(secure, certificate):
    trusting = ObjectStore(StoreAccess("s3", secure, keys=KEYS, ca_file=str(certificate[0])))
    assert trusting.read("mlpipeline/f/a") == b"one"


def test_an_unknown_certificate_is_told_and_not_checking_it_is_one_stores_own_matter(secure):
    careless = ObjectStore(StoreAccess("s3", secure, keys=KEYS, verify=False))
    assert careless.read("mlpipeline/f/a") == b"one"
    with pytest.raises(StoreUnreachable, match=r"signed by an unknown CA: set %kf_config ca_file=FILE"):
        ObjectStore(StoreAccess("s3", secure, keys=KEYS)).read("mlpipeline/f/a")
    assert careless.read("mlpipeline/f/a") == b"one"


def test_a_ca_file_that_is_missing_or_holds_no_certificate_is_told(secure, tmp_path):
    gone = StoreAccess("s3", secure, keys=KEYS, ca_file=str(tmp_path / "gone"))
    with pytest.raises(Unreadable, match=r"cannot read the CA file .*gone: No such file"):
        ObjectStore(gone).read("mlpipeline/f/a")
    (tmp_path / "other").write_text("x")
    with pytest.raises(Unreadable, match="No certificates found"):
        ObjectStore(StoreAccess("s3", secure, keys=KEYS, ca_file=str(tmp_path / "other"))).read(
            "mlpipeline/f/a"
        )


class Proxy(http.server.BaseHTTPRequestHandler):
    """Answers each object with where it was asked for; refuses tunnels."""

    protocol_version = "HTTP/1.1"
    asked: list[str]

    def do_GET(self):
        self.asked.append(self.path)
        body = b"by the proxy"
        self.send_response(200)
        for name, value in (("content-length", len(body)), ("etag", "0")):
            self.send_header(name, str(value))
        self.send_header("last-modified", "Mon, 23 Nov 2026 14:40:00 GMT")
        self.end_headers()
        self.wfile.write(body)

    def do_CONNECT(self):
        self.asked.append(f"CONNECT {self.path}")
        self.send_response(502)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


@contextmanager
def serving(handler, certificate=None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def proxy(monkeypatch):
    """What the proxy of the environment is asked."""
    handler = type("_", (Proxy,), {"asked": []})
    with serving(handler) as address:
        monkeypatch.setenv("HTTP_PROXY", address)
        monkeypatch.setenv("HTTPS_PROXY", address)
        yield handler.asked


def test_proxies_of_the_environment_are_taken(proxy, monkeypatch):
    through = StoreAccess("s3", "http://store.invalid:9000", keys=KEYS)
    assert ObjectStore(through).read("b/x") == b"by the proxy"
    assert proxy == ["http://store.invalid:9000/b/x"]
    secure = StoreAccess("s3", "https://store.invalid:9000", keys=KEYS)
    with pytest.raises(StoreUnreachable):
        ObjectStore(secure).size("b/x")
    assert "CONNECT store.invalid:9000" in proxy
    proxy.clear()
    monkeypatch.setenv("NO_PROXY", ".invalid")
    with pytest.raises(StoreUnreachable):
        ObjectStore(through).size("b/x")
    assert proxy == []


def test_no_proxy_is_asked_for_an_address_of_this_machine(proxy, store):
    assert store.read("mlpipeline/f/a") == b"one"
    assert proxy == []


def test_the_bucket_is_in_the_path_or_in_the_hosts_name(proxy):
    for path_style, asked in (
        (True, "http://store.invalid:9000/b/x"),
        (False, "http://b.store.invalid:9000/x"),
    ):
        access = StoreAccess("s3", "http://store.invalid:9000", "us-east-1", path_style, KEYS)
        ObjectStore(access).read("b/x")
        assert proxy.pop() == asked


# -- credentials -------------------------------------------------------------------------------------------------


@pytest.fixture
def headers(server):
    """The headers of the last request."""
    answer, seen = server.answer, {}

    def noting(handler, path, query):
        seen.clear()
        seen.update({name.lower(): value for name, value in handler.headers.items()})
        answer(handler, path, query)

    server.answer = noting
    return seen


def test_a_session_token_is_sent_and_signed(server, headers):
    access = StoreAccess("s3", f"http://{server.address}", "eu-1", keys=AccessKeys(ACCESS, SECRET, "a token"))
    assert ObjectStore(access).read("mlpipeline/f/a") == b"one"
    assert headers["x-amz-security-token"] == "a token"
    assert "x-amz-security-token" in headers["authorization"]
    assert "/eu-1/s3/aws4_request" in headers["authorization"]


def test_given_keys_and_endpoint_win_over_the_environments(server, headers, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "other")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "other")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "other")
    monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "true")
    assert (
        ObjectStore(StoreAccess("s3", f"http://{server.address}", keys=KEYS)).read("mlpipeline/f/a") == b"one"
    )
    assert "x-amz-security-token" not in headers


def test_keys_of_the_environment_are_taken(server, headers, monkeypatch):
    assert not has_environment_credentials()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS)
    assert not has_environment_credentials()
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "a token")
    assert has_environment_credentials()
    assert ObjectStore(StoreAccess("s3", f"http://{server.address}")).read("mlpipeline/f/a") == b"one"
    assert headers["x-amz-security-token"] == "a token"


def test_a_public_store_is_asked_without_credentials(server, headers, monkeypatch):
    monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")
    assert has_environment_credentials()
    with pytest.raises(ObjectForbidden):  # this one is not public
        ObjectStore(StoreAccess("s3", f"http://{server.address}")).read("mlpipeline/f/a")
    assert "authorization" not in headers


class TokenService(http.server.BaseHTTPRequestHandler):
    """AWS's service that gives keys for a web identity."""

    protocol_version = "HTTP/1.1"
    status = 200
    asked: list[str]

    def do_POST(self):
        sent = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        self.asked.append(self.path + sent)
        body = (
            "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>"
            f"<SessionToken>session</SessionToken><SecretAccessKey>{SECRET}</SecretAccessKey>"
            f"<Expiration>2099-01-01T00:00:00Z</Expiration><AccessKeyId>{ACCESS}</AccessKeyId></Credentials>"
            "</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
            if self.status == 200
            else "<ErrorResponse><Error><Code>InvalidIdentityToken</Code><Message>No.</Message></Error></ErrorResponse>"
        )
        self.send_response(self.status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *args):
        pass


@pytest.fixture
def identity(monkeypatch, tmp_path, certificate):
    """A web identity of the environment, as EKS gives it to pods, and AWS's service for it (over TLS)."""
    handler = type("_", (TokenService,), {"asked": []})
    (tmp_path / "token").write_text("web-identity-canary")
    with serving(handler, certificate) as address:
        monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
        monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/reader")
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", address)
        yield handler


def test_a_web_identity_gets_keys(server, headers, identity, certificate):
    assert has_environment_credentials()
    access = StoreAccess("s3", f"http://{server.address}", ca_file=str(certificate[0]))
    assert ObjectStore(access).read("mlpipeline/f/a") == b"one"
    assert headers["x-amz-security-token"] == "session"
    assert "arn%3Aaws%3Aiam%3A%3A1%3Arole%2Freader" in identity.asked[0]
    assert "web-identity-canary" in identity.asked[0]


def test_a_web_identity_that_is_refused_is_told_without_its_token(server, identity, certificate):
    identity.status = 400
    access = StoreAccess("s3", f"http://{server.address}", ca_file=str(certificate[0]))
    with pytest.raises(
        Unreadable, match=r"cannot obtain credentials for the object store at .*: No\.$"
    ) as why:
        ObjectStore(access).read("mlpipeline/f/a")
    assert "canary" not in repr((why.value, why.value.__cause__, why.value.__context__))


# -- Azure and Google --------------------------------------------------------------------------------------------


def test_azure_is_asked_as_its_environment_says(monkeypatch):
    handler = type("_", (Proxy,), {"asked": []})
    with serving(handler) as address:
        monkeypatch.setenv("AZURE_STORAGE_USE_EMULATOR", "true")
        monkeypatch.setenv("AZURITE_BLOB_STORAGE_URL", address)
        assert ObjectStore(StoreAccess("az")).read("container/a/b c") == b"by the proxy"
    assert handler.asked == ["/devstoreaccount1/container/a/b%20c"]


def test_azure_without_an_account_is_told():
    with pytest.raises(Unreadable, match=r"reading container/x failed: .*Account must be specified"):
        ObjectStore(StoreAccess("az")).read("container/x")


def test_google_is_asked_with_a_service_accounts_key(certificate):
    handler = type("_", (Proxy,), {"asked": []})
    with serving(handler, certificate) as address:
        key = {"gcs_base_url": address, "disable_oauth": True, "client_email": "", "private_key": ""}
        access = StoreAccess(
            "gs", account_key=json.dumps(key | {"private_key_id": ""}), ca_file=str(certificate[0])
        )
        assert ObjectStore(access).read("bucket/a/b c") == b"by the proxy"
    assert handler.asked == ["/bucket/a%2Fb%20c"]


def test_a_service_accounts_key_that_is_none_is_told_without_being_shown():
    broken = StoreAccess(
        "gs", account_key='{"private_key": "canary", "client_email": "a", "private_key_id": "1"}'
    )
    with pytest.raises(Unreadable, match="reading b/x failed") as why:
        ObjectStore(broken).read("b/x")
    assert "canary" not in str(why.value)


def test_keys_are_never_shown(store):
    store.read("mlpipeline/f/a")
    google = StoreAccess("gs", account_key=SECRET)
    shown = (
        store,
        store._access,
        store.__dict__,
        KEYS,
        google,
        *store._short.values(),
        *store._moving.values(),
    )
    assert SECRET not in repr(shown)
