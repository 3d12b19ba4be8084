package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"timbre/protocol"
	"timbre/server/config"
)

// writeCertificate writes a self-signed certificate for the loopback address.
func writeCertificate(t *testing.T, dir string, serial int64) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	cert, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return writePEM(t, dir, "cert.pem", "CERTIFICATE", cert), writePEM(t, dir, "key.pem", "PRIVATE KEY", der)
}

func writePEM(t *testing.T, dir, name, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCertificateIsReloaded(t *testing.T) {
	dir := t.TempDir()
	cert, key := writeCertificate(t, dir, 1)
	s := serve(t, t.TempDir(), func(c *config.Config) { c.TLSCert, c.TLSKey = cert, key })
	connect := func() int64 {
		t.Helper()
		roots := x509.NewCertPool()
		text, err := os.ReadFile(cert)
		if err != nil || !roots.AppendCertsFromPEM(text) {
			t.Fatal("no certificate", err)
		}
		d := websocket.Dialer{TLSClientConfig: &tls.Config{RootCAs: roots}}
		ws, _, err := d.Dial("wss://"+s.Addr()+"/ws", nil)
		if err != nil {
			t.Fatal(err)
		}
		c := attach(t, ws)
		ask[protocol.LoggedIn](c, protocol.OpLogin, "", loginBody("alice"))
		return ws.NetConn().(*tls.Conn).ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	if got := connect(); got != 1 {
		t.Fatalf("serial %d", got)
	}
	writeCertificate(t, dir, 2)
	if err := s.ReloadCertificate(); err != nil {
		t.Fatal(err)
	}
	if got := connect(); got != 2 {
		t.Errorf("after the reload: serial %d", got)
	}
	good, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(key, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s.ReloadCertificate() == nil {
		t.Error("a broken key was accepted")
	}
	if err := os.WriteFile(key, good, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := connect(); got != 2 {
		t.Errorf("after a failed reload: serial %d", got)
	}
}
