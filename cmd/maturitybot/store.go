package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"maturitybot/adapters/redis"
)

// storeFlag says where answers are kept.
type storeFlag struct {
	RedisURL     string `name:"redis-url" env:"REDIS_URL" placeholder:"URL" help:"Where answers are kept, such as redis://localhost:6379/0."`
	RedisURLFile string `name:"redis-url-file" env:"REDIS_URL_FILE" placeholder:"FILE" type:"path" help:"A file that holds the address instead, with its password."`
}

// address returns the address of Redis, or an error that repeats nothing of it.
func (f storeFlag) address() (string, error) {
	value, err := readSecret("REDIS_URL", func(name string) string {
		return map[string]string{"REDIS_URL": f.RedisURL, "REDIS_URL_FILE": f.RedisURLFile}[name]
	})
	if err == nil && value == "" {
		err = errors.New("REDIS_URL is missing: the address of a Redis 7.0 or later, such as redis://localhost:6379/0")
	}
	return value, err
}

// open connects to the store to read it. It refuses one that a newer program writes to.
func (f storeFlag) open(ctx context.Context) (*redis.Store, error) {
	address, err := f.address()
	if err != nil {
		return nil, err
	}
	return connect(ctx, address, (*redis.Store).CheckSchema)
}

// openToWrite is like open, and makes older programs refuse the store from then on.
func (f storeFlag) openToWrite(ctx context.Context) (*redis.Store, error) {
	address, err := f.address()
	if err != nil {
		return nil, err
	}
	return connect(ctx, address, (*redis.Store).RaiseSchema)
}

// connect opens the store at an address, and closes it again when the schema does not fit.
func connect(ctx context.Context, address string, schema func(*redis.Store, context.Context) error, with ...redis.Option) (*redis.Store, error) {
	store, err := redis.Open(ctx, address, with...)
	if err != nil {
		return nil, err
	}
	if err := schema(store, ctx); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return store, nil
}

// erasuresFlag names the journal of erasures.
type erasuresFlag struct {
	Erasures string `name:"erasures" env:"ERASURES" placeholder:"FILE" type:"path" help:"Add a line to this file for each erasure, before it counts as done: a restored backup then leaves out what was erased since, also when Redis was lost. Names nobody."`
}

// journal makes the store write its erasures to the file, if one was named, until done is called.
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

// journalName returns the name by which the store knows a journal, which its first line gives it, or
// nothing where there is no such file yet.
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

// openJournal opens a file to add lines to, also while others do. An empty one says since when it is kept.
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

// syncFolder makes sure that a file which was made in a folder is there after the machine went down.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
