"""wss://: the certificate is checked against the file in TIM_SERVER_CA, else against the system's roots."""
import os
import subprocess

from timbre import CONNECT_FAILED, CONNECTED, equal, text_of, text_elem


def certificate(folder):
    """A self-signed certificate for 127.0.0.1."""
    cert, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=timbred test",
                    "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    return cert, key


def test_encrypted_with_a_trusted_certificate(t):
    cert, key = certificate(t.folder())
    server = t.own_server(options=["--tls-cert", cert, "--tls-key", key])
    url = server.url.replace("ws:", "wss:")
    a = t.user("alice", url=url, env={"TIM_SERVER_CA": cert})
    a.network(CONNECTED)
    m = a.sent(a.name, [text_elem("over TLS 你好")])
    equal(text_of(m), "over TLS 你好", "the message")


def test_untrusted_certificate_is_refused(t):
    cert, key = certificate(t.folder())
    server = t.own_server(options=["--tls-cert", cert, "--tls-key", key])
    b = t.client("bob", url=server.url.replace("ws:", "wss:")).init()
    b.network(CONNECT_FAILED)
    equal(b.login_again().code, 9508, "a login over a connection that cannot be trusted")
