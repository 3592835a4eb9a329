// Package platform holds what the adapters of chat platforms share: how a call of a platform's API
// is made, retried and held back, and how the bot's replies are carried out. It knows no platform.
package platform

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"maturitybot/bot/chat"
)

const (
	// maxConns is how many connections are made to each host of a platform, and how many are kept
	// open. By default net/http keeps two for each, which halves what the bot gets done. A host that
	// speaks HTTP/2 needs one.
	maxConns = 64
	// connectTimeout limits connecting and the TLS handshake, each. A request that ends while it
	// connects keeps one of maxConns until then.
	connectTimeout = 5 * time.Second
)

// requestBytes is the buffer of a connection for requests. A card takes 5 to 15 KB, and goes out in one
// write. With the default of net/http, 4 KB, it goes out in several.
const requestBytes = 16 << 10

// ParseAPIURL reads the address of an API. The result ends with a slash, so that the path of a
// method can be appended. Its error does not quote the address, which may hold a password.
func ParseAPIURL(address string) (*url.URL, error) {
	base, err := url.Parse(strings.TrimSuffix(address, "/") + "/")
	if err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http" {
		return nil, errors.New("the address of the API must begin with https:// or http://")
	}
	return base, nil
}

// NewHTTPClient returns a client for one API host. It follows no redirects: they would take tokens
// elsewhere, and no platform's API uses them. If dial is nil, the client connects to the network
// and uses the proxies that the environment names. Timeout bounds each request; zero leaves that to
// the request's context.
func NewHTTPClient(
	dial func(ctx context.Context, network, address string) (net.Conn, error), timeout time.Duration,
) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns = maxConns
	transport.MaxIdleConnsPerHost = maxConns
	transport.MaxConnsPerHost = maxConns
	transport.WriteBufferSize = requestBytes
	transport.TLSHandshakeTimeout = connectTimeout
	transport.DialContext = (&net.Dialer{Timeout: connectTimeout}).DialContext
	if dial != nil {
		transport.DialContext = dial
		transport.Proxy = nil
	}
	return &http.Client{
		Transport: transport,
		Timeout:   timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
}

// MarkUnavailable wraps an error of reaching a platform in chat.ErrUnavailable, unless waiting does
// not help: permanent is true if the platform has refused, or if something else answered in its
// place. A certificate that belongs to another host is permanent too.
func MarkUnavailable(err error, permanent bool) error {
	_, wrongHost := errors.AsType[*tls.CertificateVerificationError](err)
	if permanent || wrongHost {
		return err
	}
	return fmt.Errorf("%w: %w", chat.ErrUnavailable, err)
}

// Redactor removes secrets from errors.
type Redactor struct{ secrets []string }

// NewRedactor returns a Redactor for some secrets, of which empty ones are ignored.
func NewRedactor(secrets ...chat.Secret) Redactor {
	var r Redactor
	for _, s := range secrets {
		if s != "" {
			r.secrets = append(r.secrets, string(s))
		}
	}
	return r
}

// Error returns an error without the request's URL, which may work as a key, and with the secrets
// in its text masked. The result wraps what it was made of. Nil stays nil.
func (r Redactor) Error(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	text := err.Error()
	clean := text
	for _, s := range r.secrets {
		clean = strings.ReplaceAll(clean, s, chat.Mask)
	}
	if clean == text {
		return err
	}
	return redactedError{clean, err}
}

// redactedError is an error with another text.
type redactedError struct {
	text string
	err  error
}

func (e redactedError) Error() string { return e.text }
func (e redactedError) Unwrap() error { return e.err }
