// Command maturitybot takes the stakeholders of a local area through the maternity and early years
// maturity matrix. See README.md, or run it with --help.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	_ "time/tzdata" // rounds have named time zones, and the machine may have no list of them

	"github.com/alecthomas/kong"

	"maturitybot/adapters/redis"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], system{env: os.Getenv, in: os.Stdin, out: os.Stdout, err: os.Stderr})
	stop()
	os.Exit(code)
}

// commands is the command line. Help texts that are too long for a struct tag are in helpTexts.
type commands struct {
	serveOnly
	Check       checkCommand       `cmd:"" help:"command_check"`
	Ready       readyCommand       `cmd:"" help:"command_ready"`
	Manifest    manifestCommand    `cmd:"" help:"command_manifest"`
	Try         tryCommand         `cmd:"" help:"command_try"`
	Play        playCommand        `cmd:"" help:"command_play"`
	Matrix      matrixCommand      `cmd:"" help:"Show or check a matrix."`
	Results     resultsCommand     `cmd:"" help:"command_results"`
	Report      reportCommand      `cmd:"" help:"command_report"`
	Rounds      roundsCommand      `cmd:"" help:"command_rounds"`
	Coordinator coordinatorCommand `cmd:"" help:"command_coordinator"`
	Export      exportCommand      `cmd:"" help:"command_export"`
	Forget      forgetCommand      `cmd:"" help:"command_forget"`
	Backup      backupCommand      `cmd:"" help:"command_backup"`
	Restore     restoreCommand     `cmd:"" help:"command_restore"`
	Version     struct{}           `cmd:"" help:"Print the version."`
}

// serveOnly is the part of the command line with the command serve. A parser for it alone is made faster.
type serveOnly struct {
	Serve serveCommand `cmd:"" help:"Run the bot on every platform it has tokens for."`
}

// system is what the program gets from the operating system: its environment and standard streams.
// An environment variable that is empty counts as not set.
type system struct {
	env      func(name string) string
	in       io.Reader
	out, err io.Writer
}

// errReported ends the program with exit code 1 and prints nothing, because the command has printed
// the reason.
var errReported = errors.New("reported already")

// run runs the program and returns its exit code: 0 for success, 1 for an error, and 2 for a command
// line that cannot be parsed.
func run(ctx context.Context, args []string, s system) int {
	var c any = &commands{}
	if len(args) > 0 && args[0] == "serve" {
		c = &serveOnly{}
	}
	exited, code := false, 0
	parser, err := newParser(c, s, func(n int) { exited, code = true, n })
	if err != nil {
		fmt.Fprintln(s.err, "maturitybot:", err)
		return 1
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if exited {
		return code
	}
	if err != nil {
		fmt.Fprintln(s.err, "maturitybot:", err)
		fmt.Fprintln(s.err, "See maturitybot --help.")
		return 2
	}
	if passwordOnCommandLine(parsed) {
		fmt.Fprintln(s.err, "maturitybot: while this runs, everybody on this machine can read the "+
			"password in --redis-url. Set REDIS_URL instead, or REDIS_URL_FILE.")
	}
	switch parsed.Command() {
	case "version":
		fmt.Fprintln(s.out, version())
	default:
		parsed.BindTo(ctx, (*context.Context)(nil))
		err = parsed.Run(s)
	}
	switch {
	case err == nil:
		return 0
	case !errors.Is(err, errReported):
		fmt.Fprintln(s.err, "maturitybot:", err)
	}
	return 1
}

// newParser returns a parser that reads a command line and the environment into c, a pointer to
// commands or to serveOnly.
func newParser(c any, s system, exit func(int)) (*kong.Kong, error) {
	parser, err := kong.New(c,
		kong.Name("maturitybot"),
		kong.Description("A chat bot that takes people in a local area through the "+
			"maternity and early years maturity matrix."),
		kong.Writers(s.out, s.err),
		kong.Exit(exit),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: false}),
		kong.ValueFormatter(formatHelp),
		kong.Resolvers(variables(s.env)),
	)
	if err != nil {
		return nil, err
	}
	if err := setHelpTexts(parser); err != nil {
		return nil, err
	}
	return parser, hideVariables(parser)
}

// hideVariables keeps kong from reading environment variables. It would read those of the process,
// and use a value that is empty: a file of settings may have a line NAME= without a value.
func hideVariables(k *kong.Kong) error {
	return kong.Visit(k.Model, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok {
			flag.Tag.Envs = nil
		}
		return next(nil)
	})
}

// variables returns a resolver that gives flags the values of their environment variables.
func variables(env func(string) string) kong.Resolver {
	return kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		for _, name := range flag.Envs {
			if value := env(name); strings.TrimSpace(value) != "" {
				return value, nil
			}
		}
		return nil, nil
	})
}

// formatHelp returns the help text of a flag with its environment variables.
func formatHelp(value *kong.Value) string {
	if value.Flag == nil || len(value.Flag.Envs) == 0 {
		return value.Help
	}
	shown := *value
	tag := *value.Tag
	tag.Envs = value.Flag.Envs
	shown.Tag = &tag
	return kong.DefaultHelpValueFormatter(&shown)
}

// passwordOnCommandLine reports whether an address of Redis with a password was given as an argument.
func passwordOnCommandLine(parsed *kong.Context) bool {
	return slices.ContainsFunc(parsed.Path, func(p *kong.Path) bool {
		if p.Flag == nil || p.Resolved || p.Flag.Name != "redis-url" {
			return false
		}
		value, _ := parsed.FlagValue(p.Flag).(string)
		return redis.HasPassword(value)
	})
}

// version returns the module's version, and the commit and the version of Go it was built from, as
// far as the build information has them.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "maturitybot (unknown version)"
	}
	line := "maturitybot " + info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			line += " " + s.Value
		}
	}
	return line + " " + info.GoVersion
}
