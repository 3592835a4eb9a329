// Package redistest starts private Redis servers for tests: each with its own ports and files,
// removed when the test ends. It speaks the few Redis commands that this needs itself, and knows
// nothing of the data.
package redistest

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Required is the environment variable that, set to 1, makes a machine without redis-server fail
// the test rather than skip it.
const Required = "MATURITYBOT_REQUIRE_REDIS"

// readyTimeout is how long a server or a cluster may take to be ready.
const readyTimeout = time.Minute

// Options of a server. The zero value keeps nothing on disk.
type Options struct {
	// AOF makes the server write each command to disk before it answers.
	AOF bool
	// TLS makes the server speak only TLS, with this certificate.
	TLS *Certificate
	// Password is that of the default user, or empty.
	Password string
	// Args are further arguments of redis-server.
	Args []string
}

// Certificate is a self-signed certificate for the loopback interface.
type Certificate struct {
	File, Key string // PEM
	pool      *x509.CertPool
}

// NewCertificate makes a certificate in a folder.
func NewCertificate(dir string) (*Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	now := time.Now()
	of := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "redistest"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	raw, err := x509.CreateCertificate(rand.Reader, of, of, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	rawKey, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode a key: %w", err)
	}
	c := &Certificate{
		File: filepath.Join(dir, "redis.crt"),
		Key:  filepath.Join(dir, "redis.key"),
		pool: x509.NewCertPool(),
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})
	c.pool.AppendCertsFromPEM(cert)
	pemKey := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: rawKey})
	err = errors.Join(os.WriteFile(c.File, cert, 0o600), os.WriteFile(c.Key, pemKey, 0o600))
	if err != nil {
		return nil, fmt.Errorf("write a certificate: %w", err)
	}
	return c, nil
}

// Server is a running redis-server.
type Server struct {
	Addr    string // host:port
	Dir     string // where its files are
	options Options
	file    []string // its configuration, if it has one
	args    []string
	bus     string // where the nodes of a cluster talk among themselves, if it is one of them
	cmd     *exec.Cmd
	ended   chan struct{} // closed when the process has ended
}

// URL returns the server's address for redis.Open.
func (s *Server) URL() string { return s.options.scheme() + s.options.login() + s.Addr }

func (o Options) scheme() string {
	if o.TLS != nil {
		return "rediss://"
	}
	return "redis://"
}

func (o Options) login() string {
	if o.Password == "" {
		return ""
	}
	return ":" + o.Password + "@"
}

// Start starts a server and waits until it answers. It skips the test when there is no redis-server
// on the PATH, or fails it where one is required.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	return start(t, o, false)
}

func start(t testing.TB, o Options, clustered bool) *Server {
	t.Helper()
	appendonly := "no"
	if o.AOF {
		appendonly = "yes"
	}
	s := newServer(t, o)
	s.args = append(s.args, "--save", "", "--appendonly", appendonly, "--appendfsync", "always",
		"--slowlog-log-slower-than", "-1")
	if o.Password != "" {
		s.args = append(s.args, "--requirepass", o.Password, "--masterauth", o.Password)
	}
	if clustered && o.TLS != nil {
		s.args = append(s.args, "--tls-cluster", "yes")
	}
	s.args = append(s.args, o.Args...)
	s.begin(t, clustered)
	return s
}

// newServer returns a server that is not running yet.
func newServer(t testing.TB, o Options) *Server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv(Required) == "1" {
			t.Fatalf("no redis-server on the PATH, and %s=1 requires it", Required)
		}
		t.Skip("NOT TESTED ON A REAL REDIS: no redis-server on the PATH (Debian: apt-get install redis-server)")
	}
	s := &Server{Dir: t.TempDir(), options: o}
	s.args = []string{"--bind", "127.0.0.1", "--dir", s.Dir, "--logfile", filepath.Join(s.Dir, "log"), "--daemonize", "no"}
	if o.TLS != nil {
		s.args = append(s.args, "--tls-cert-file", o.TLS.File, "--tls-key-file", o.TLS.Key, "--tls-ca-cert-file", o.TLS.File,
			"--tls-auth-clients", "no", "--tls-replication", "yes")
	}
	t.Cleanup(func() {
		// A process that rewrites the append-only file would outlive the server and write to its
		// folder while that is removed.
		poll(func() bool {
			info, err := s.ask("INFO persistence")
			return err != nil || !strings.Contains(info, "aof_rewrite_in_progress:1") &&
				!strings.Contains(info, "aof_rewrite_scheduled:1")
		})
		s.Kill()
	})
	return s
}

// begin starts the server on a free port.
func (s *Server) begin(t testing.TB, clustered bool) {
	t.Helper()
	// Another process may take the free port first; then the next attempt uses another.
	for range 5 {
		s.Addr = FreeAddr(t)
		if clustered {
			_, s.bus, _ = strings.Cut(FreeAddr(t), ":")
		}
		if s.run(t) {
			return
		}
	}
	t.Fatal("redis-server does not start: ", s.log())
}

// Kill kills the server like kill -9 and returns when it has ended. Its files stay until the test
// ends.
func (s *Server) Kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill() // it may have ended by itself
	<-s.ended
	s.cmd = nil
}

// Restart starts a killed server on the same port with the files it left.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	if !s.run(t) {
		t.Fatal("redis-server does not start again: ", s.log())
	}
}

// Do sends one command, as words without spaces, and returns the reply. It fails the test on an
// error.
func (s *Server) Do(t testing.TB, words ...string) string {
	t.Helper()
	reply, err := s.ask(strings.Join(words, " "))
	if err != nil {
		t.Fatalf("%s: %v", words[0], err)
	}
	return reply
}

// run starts the server and reports whether it answers.
func (s *Server) run(t testing.TB) bool {
	t.Helper()
	_, port, _ := strings.Cut(s.Addr, ":")
	args := append(slices.Clone(s.file), "--port", port)
	if s.options.TLS != nil {
		args = append(slices.Clone(s.file), "--port", "0", "--tls-port", port)
	}
	args = append(args, s.args...)
	if s.bus != "" {
		args = append(args, "--cluster-enabled", "yes", "--cluster-port", s.bus, "--cluster-node-timeout", "5000")
	}
	s.cmd = exec.Command("redis-server", args...)
	if err := s.cmd.Start(); err != nil {
		s.cmd = nil
		t.Fatal(err)
	}
	ended := make(chan struct{})
	s.ended = ended
	go func(cmd *exec.Cmd) {
		defer close(ended)
		_ = cmd.Wait() // it ends by being killed
	}(s.cmd)
	pid := fmt.Sprintf("process_id:%d\r\n", s.cmd.Process.Pid)
	ready := poll(func() bool {
		select {
		case <-ended:
			return true
		default:
		}
		info, err := s.ask("INFO server")
		return err == nil && strings.Contains(info, pid) // not another server that took the port
	})
	select {
	case <-ended:
		return false
	default:
		return ready
	}
}

func (s *Server) log() string {
	raw, err := os.ReadFile(filepath.Join(s.Dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

// ask sends one inline command over a connection of its own.
func (s *Server) ask(command string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	dial := new(net.Dialer).DialContext
	if c := s.options.TLS; c != nil {
		dial = (&tls.Dialer{Config: &tls.Config{RootCAs: c.pool}}).DialContext
	}
	conn, err := dial(ctx, "tcp", s.Addr)
	if err != nil {
		return "", fmt.Errorf("connect to the server: %w", err)
	}
	defer func() { _ = conn.Close() }() // nothing is left to lose
	if err := conn.SetDeadline(time.Now().Add(readyTimeout)); err != nil {
		return "", fmt.Errorf("set a deadline: %w", err)
	}
	r := bufio.NewReader(conn)
	if s.options.Password != "" {
		command = "AUTH " + s.options.Password + "\r\n" + command
	}
	if _, err := conn.Write([]byte(command + "\r\n")); err != nil {
		return "", fmt.Errorf("send a command: %w", err)
	}
	if s.options.Password != "" {
		if _, err := r.ReadString('\n'); err != nil {
			return "", fmt.Errorf("read a reply: %w", err)
		}
	}
	line, err := r.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("read a reply: %w", err)
	}
	kind, rest := line[0], strings.TrimSpace(line[1:])
	switch kind {
	case '-':
		return "", fmt.Errorf("the server refuses: %s", rest)
	case '$':
		n, err := strconv.Atoi(rest)
		if err != nil || n < 0 {
			return "", err
		}
		var text strings.Builder
		for text.Len() < n {
			line, err := r.ReadString('\n')
			if err != nil {
				return "", fmt.Errorf("read a reply: %w", err)
			}
			text.WriteString(line)
		}
		return text.String()[:n], nil
	default:
		return rest, nil
	}
}

// StartCluster starts a cluster of three masters and returns its address for redis.Open. Without
// redis-server it does what Start does.
func StartCluster(t testing.TB, o Options) string {
	t.Helper()
	const slots, masters = 16384, 3
	var servers []*Server
	var addrs []string
	for i := range masters {
		s := start(t, o, true)
		s.Do(t, "CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(i*slots/masters), strconv.Itoa((i+1)*slots/masters-1))
		s.Do(t, "CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1))
		servers, addrs = append(servers, s), append(addrs, s.Addr)
	}
	for _, s := range servers[1:] {
		host, port, _ := strings.Cut(s.Addr, ":")
		servers[0].Do(t, "CLUSTER", "MEET", host, port, s.bus)
	}
	for _, s := range servers {
		ready := poll(func() bool {
			info, err := s.ask("CLUSTER INFO")
			return err == nil && strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_known_nodes:3")
		})
		if !ready {
			t.Fatal("the cluster does not come together: ", s.log())
		}
	}
	return o.scheme() + o.login() + strings.Join(addrs, ",")
}

// Watched is a master with two replicas, and three Sentinels that promote one of them when it
// fails.
type Watched struct {
	Master    *Server // the first
	Replicas  []*Server
	sentinels []*Server
}

// MasterName is the name by which the Sentinels know the master.
const MasterName = "main"

// StartSentinels starts a master, replicas and Sentinels with the same options, and returns when
// they know each other. Without redis-server it does what Start does.
func StartSentinels(t testing.TB, o Options) *Watched {
	t.Helper()
	w := &Watched{Master: start(t, o, false)}
	host, port, _ := strings.Cut(w.Master.Addr, ":")
	for range 2 {
		of := o
		of.Args = append(slices.Clone(o.Args), "--replicaof", host+" "+port)
		w.Replicas = append(w.Replicas, start(t, of, false))
	}
	for range 3 {
		s := newServer(t, Options{TLS: o.TLS, Password: o.Password})
		lines := []string{
			"sentinel monitor " + MasterName + " " + host + " " + port + " 2",
			"sentinel down-after-milliseconds " + MasterName + " 2000",
			"sentinel failover-timeout " + MasterName + " 10000",
		}
		if o.Password != "" {
			lines = append(lines, "requirepass "+o.Password, "sentinel sentinel-pass "+o.Password,
				"sentinel auth-pass "+MasterName+" "+o.Password)
		}
		file := filepath.Join(s.Dir, "sentinel.conf") // which it writes, too
		if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		s.file, s.args = []string{file}, append(s.args, "--sentinel")
		s.begin(t, false)
		w.sentinels = append(w.sentinels, s)
	}
	for _, s := range w.sentinels {
		ready := poll(func() bool {
			info, err := s.ask("INFO sentinel")
			return err == nil && strings.Contains(info, "status=ok,") && strings.Contains(info, ",slaves=2,sentinels=3")
		})
		if !ready {
			t.Fatal("the Sentinels do not find each other: ", s.log())
		}
	}
	return w
}

// Sentinel returns the address of one Sentinel, as of a server.
func (w *Watched) Sentinel() string { return w.sentinels[0].URL() }

// URL returns the address for redis.Open.
func (w *Watched) URL() string {
	o := w.Master.options
	var addrs []string
	for _, s := range w.sentinels {
		addrs = append(addrs, s.Addr)
	}
	url := strings.Replace(o.scheme(), "://", "-sentinel://", 1) + o.login() + strings.Join(addrs, ",") + "/" + MasterName
	if o.Password != "" {
		url += "?sentinel_password=" + o.Password
	}
	return url
}

// firstPort and portCount are the ports of FreeAddr. Systems take the ports of connections above them.
const firstPort, portCount = 20000, 10000

// nextPort is how far FreeAddr has come. Test programs that run at the same time begin elsewhere.
var nextPort = func() *atomic.Int64 {
	var n atomic.Int64
	n.Store(mathrand.Int64N(portCount))
	return &n
}()

// FreeAddr returns an address of this machine at which nothing listens. It stays free while the program
// that it is for is down: no connection gets its port, and no other caller.
func FreeAddr(t testing.TB) string {
	t.Helper()
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", firstPort+nextPort.Add(1)%portCount)
		if l, err := net.Listen("tcp", address); err == nil {
			_ = l.Close() // for the program to take
			return address
		}
	}
	t.Fatal("no port is free")
	return ""
}

// poll calls ready until it returns true, and reports whether it did within readyTimeout. It waits
// longer from call to call: a call costs a connection, with TLS a handshake.
func poll(ready func() bool) bool {
	const longest = 100 * time.Millisecond
	deadline := time.After(readyTimeout)
	for interval := 5 * time.Millisecond; !ready(); interval = min(2*interval, longest) {
		select {
		case <-time.After(interval):
		case <-deadline:
			return false
		}
	}
	return true
}
