package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"

	"timbre/model/tim"
)

// tlsFor returns the TLS settings for a wss:// address: the system's roots, or those in a file.
func tlsFor(target, file string) (*tls.Config, error) {
	if !strings.HasPrefix(target, "wss:") {
		return nil, nil
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if file == "" {
		return cfg, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("TIM_SERVER_CA: %w", err)
	}
	cfg.RootCAs = x509.NewCertPool()
	if !cfg.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("TIM_SERVER_CA: no certificate in %s", file)
	}
	return cfg, nil
}

// connectCode finds the public code for a failed dial.
func connectCode(err error) int {
	var dns *net.DNSError
	var netErr net.Error
	switch {
	case errors.As(err, &dns):
		return tim.ErrSDKNetHostGetaddrinfoFailed
	case errors.Is(err, syscall.ECONNREFUSED):
		return tim.ErrSDKNetConnRefuse
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return tim.ErrSDKNetNetUnreach
	case errors.Is(err, syscall.ECONNRESET):
		return tim.ErrSDKNetResetByPeer
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		return tim.ErrSDKNetConnTimeout
	default:
		return tim.ErrSDKNetDisconnect
	}
}
