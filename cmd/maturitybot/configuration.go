package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"

	"maturitybot/adapters/platform"
	"maturitybot/bot/chat"
	"maturitybot/cmd/maturitybot/server"
	"maturitybot/survey"
)

// credentials returns the credentials of every platform.
func credentials() []platform.Credential {
	var all []platform.Credential
	for _, d := range definitions {
		all = append(all, d.Credentials...)
	}
	return all
}

// readSecret returns the value of an environment variable, or the content of the file whose name is
// in the variable with _FILE after its name. Secrets are not flags, because every user of the machine
// can read a command line. The value is empty if neither variable is set. The error repeats neither
// the value nor the name of the file, which may be a secret in the wrong variable.
func readSecret(name string, env func(string) string) (string, error) {
	value, path := strings.TrimSpace(env(name)), strings.TrimSpace(env(name+"_FILE"))
	switch {
	case path == "":
		return value, nil
	case value != "":
		return "", fmt.Errorf("%s and %[1]s_FILE are both set: take one of them away", name)
	}
	raw, err := os.ReadFile(path)
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	if err != nil {
		return "", fmt.Errorf("%s_FILE names no file that can be read: %w", name, err)
	}
	if value = strings.TrimSpace(string(raw)); value == "" {
		return "", fmt.Errorf("%s_FILE names a file that is empty", name)
	}
	return value, nil
}

// config is the configuration in the environment and the flags of serve, after its check. Fields
// with secrets are exported, because fmt calls String, which masks them, on exported fields only.
type config struct {
	Redis     chat.Secret // the address, with its password
	creators  []chat.Person
	Platforms []server.Platform
	Web       *server.Web // nil where there is no WEB_URL
}

// faults are all faults of a configuration, one text each.
type faults []string

func (f faults) Error() string {
	return "this configuration cannot be used:\n  - " + strings.Join(f, "\n  - ")
}

// config reads the whole configuration: flags, and credentials from the environment. The error is
// faults, which lists everything that is missing or wrong and where to find it. With the error,
// config returns the parts that are right.
func (c *serveCommand) config(env func(string) string) (config, error) {
	var conf config
	var wrong faults
	address, err := c.address()
	conf.Redis = chat.Secret(address)
	if err != nil {
		wrong = append(wrong, err.Error())
	}
	for _, s := range c.Creators {
		p, err := parsePerson(s)
		switch {
		case err != nil:
			wrong = append(wrong, "CREATORS: "+err.Error())
		case survey.PersonID(p.String()).ByLink():
			wrong = append(wrong, fmt.Sprintf(
				"CREATORS: %q takes part by a link, and cannot start rounds", s))
		}
		conf.creators = append(conf.creators, p)
	}
	web, faults := c.configureWeb(env)
	conf.Web = web
	wrong = append(wrong, faults...)
	platforms, faults := c.configurePlatforms(env)
	conf.Platforms = platforms
	wrong = append(wrong, faults...)
	if len(wrong) > 0 {
		return conf, wrong
	}
	return conf, nil
}

// configurePlatforms returns the platforms whose configuration is right, and the faults of the
// others.
func (c *serveCommand) configurePlatforms(env func(string) string) ([]server.Platform, faults) {
	values := c.values()
	var wrong faults
	for _, credential := range credentials() {
		value, err := readSecret(credential.Name, env)
		if err != nil {
			wrong = append(wrong, err.Error())
		}
		values[credential.Name] = value
	}
	if len(wrong) > 0 { // without the credentials the platforms cannot be checked
		return nil, wrong
	}
	var platforms []server.Platform
	var setups []string
	for _, d := range definitions {
		setups = append(setups, d.Setup)
		configured, faults := d.Configure(maps.Clone(values))
		wrong = append(wrong, faults...)
		if configured != nil {
			platforms = append(platforms, server.Platform{
				Name: d.Name, Title: d.Title, Config: configured,
			})
		}
	}
	isSet := func(c platform.Credential) bool { return values[c.Name] != "" }
	// A process can serve the pages alone, beside others that connect to the platforms.
	if !slices.ContainsFunc(credentials(), isSet) && c.WebURL == "" {
		wrong = append(wrong, "no chat platform: set "+strings.Join(setups, ", or "))
	}
	return platforms, wrong
}

// linkKeys are the keys that links are made with.
var linkKeys = platform.Credential{
	Name: "LINK_KEYS",
	What: "one or more keys of 32 random bytes or more, in base64 or hexadecimal, separated by commas",
	Use: "links for people who are on no chat platform: the first key makes new links, and links " +
		"of each key work",
	Where: "openssl rand -base64 32 prints one",
}

// configureWeb returns the configuration of the pages for people with links, or nil if there is no
// WEB_URL.
func (c *serveCommand) configureWeb(env func(string) string) (*server.Web, faults) {
	raw, err := readSecret(linkKeys.Name, env)
	if err != nil {
		return nil, faults{err.Error()}
	}
	switch {
	case c.WebURL == "" && raw == "" && c.WebListen == "":
		return nil, nil
	case c.WebURL == "":
		return nil, faults{"WEB_URL is missing: the public address of the pages, such as " +
			"https://survey.example.org"}
	}
	var wrong faults
	address, err := url.Parse(strings.TrimSuffix(c.WebURL, "/"))
	if err != nil || address.Scheme != "https" || address.Host == "" || address.Path != "" ||
		address.RawQuery != "" || address.Fragment != "" || address.User != nil {
		wrong = append(wrong, "WEB_URL is not an address such as https://survey.example.org: it "+
			"begins with https:// and has no path")
	}
	keys, err := survey.ParseLinkKeys(raw)
	switch {
	case raw == "":
		wrong = append(wrong, linkKeys.Missing())
	case err != nil:
		wrong = append(wrong, linkKeys.Name+": "+err.Error())
	}
	if len(wrong) > 0 {
		return nil, wrong
	}
	return &server.Web{URL: address, Listen: c.WebListen, Keys: keys}, nil
}
