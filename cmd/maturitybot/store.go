package main

import (
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"maturitybot/adapters/redis"
	"maturitybot/survey"
)

// storeFlag is the address of Redis, where answers are kept.
type storeFlag struct {
	RedisURL     string `env:"REDIS_URL" placeholder:"URL" help:"redis_url"`
	RedisURLFile string `env:"REDIS_URL_FILE" placeholder:"FILE" type:"path" help:"redis_url_file"`
}

// address returns the address of Redis. The error does not repeat it, because it may hold a password.
func (f storeFlag) address() (string, error) {
	value, err := readSecret("REDIS_URL", func(name string) string {
		return map[string]string{"REDIS_URL": f.RedisURL, "REDIS_URL_FILE": f.RedisURLFile}[name]
	})
	if err == nil && value == "" {
		err = errors.New("REDIS_URL is missing: the address of a Redis 7.0 or later, " +
			"such as redis://localhost:6379/0")
	}
	return value, err
}

// open connects to the store to read it. It fails if a newer version of the program writes to it.
func (f storeFlag) open(ctx context.Context) (*redis.Store, error) {
	address, err := f.address()
	if err != nil {
		return nil, err
	}
	return connect(ctx, address, (*redis.Store).CheckSchema)
}

// openToWrite connects to the store to write to it. From then on, older versions of the program
// refuse the store.
func (f storeFlag) openToWrite(ctx context.Context) (*redis.Store, error) {
	address, err := f.address()
	if err != nil {
		return nil, err
	}
	return connect(ctx, address, (*redis.Store).RaiseSchema)
}

// connect opens the store at an address. It closes the store again when checkSchema fails.
func connect(
	ctx context.Context, address string,
	checkSchema func(*redis.Store, context.Context) error, options ...redis.Option,
) (*redis.Store, error) {
	store, err := redis.Open(ctx, address, options...)
	if err != nil {
		return nil, err
	}
	err = checkSchema(store, ctx)
	if err == nil {
		return store, nil
	}
	if !errors.Is(err, survey.ErrUnavailable) && !errors.Is(err, redis.ErrNewerSchema) {
		// A Sentinel or a replica says only that it does not know the command.
		_, _, wrongServer := store.Describe(ctx)
		err = cmp.Or(wrongServer, err)
	}
	return nil, errors.Join(err, store.Close())
}

// erasuresFlag names the file that is the journal of erasures.
type erasuresFlag struct {
	Erasures string `env:"ERASURES" placeholder:"FILE" type:"path" help:"erasures"`
}

// journal makes the store write its erasures to the file until done is called. It does nothing where
// no file was named.
func (f erasuresFlag) journal(store *redis.Store) (done func() error, err error) {
	if f.Erasures == "" {
		return func() error { return nil }, nil
	}
	file, err := openJournal(f.Erasures)
	if err != nil {
		return nil, fmt.Errorf("open the journal of erasures: %w", err)
	}
	store.KeepJournal(file)
	return file.Close, nil
}

// journalName returns the name by which the store knows a journal: a hash of its first line. It
// returns an empty name where the file does not exist or is empty.
func journalName(path string) (string, error) {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("open the journal of erasures: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if line := strings.TrimSpace(lines.Text()); line != "" {
			sum := sha256.Sum256([]byte(line))
			return hex.EncodeToString(sum[:8]), nil
		}
	}
	return "", nil
}

// openJournal opens a journal to append to it. Other processes can append at the same time. An empty
// journal gets a first line that says when it was begun.
func openJournal(path string) (file *os.File, err error) {
	file, err = os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = file.Close() // the first error says what matters
		}
	}()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() == 0 {
		if err := redis.BeginJournal(file); err != nil {
			return nil, err
		}
	}
	return file, syncFolder(filepath.Dir(path))
}

// syncFolder writes a folder to the disk, so that a file made in it is there after a power failure.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
