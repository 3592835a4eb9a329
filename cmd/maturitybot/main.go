// Command maturitybot takes the stakeholders of a local area through the maternity and early years maturity
// matrix. See README.md, or run it with --help.
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
	_ "time/tzdata" // rounds are kept in named time zones, also where the machine has no list of them

	"github.com/alecthomas/kong"

	"maturitybot/adapters/redis"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// commands is the whole command line.
type commands struct {
	Serve       serveCommand       `cmd:"" help:"Run the bot where it is given tokens for."`
	Check       checkCommand       `cmd:"" help:"Try the configuration of serve: Redis, the platforms, the files; say what works, what is wrong, and what to do. Changes nothing."`
	Ready       readyCommand       `cmd:"" help:"Ask the bot that serves on this machine whether it is ready; the exit code tells."`
	Manifest    manifestCommand    `cmd:"" help:"Print what a chat platform is told to make an app for the bot."`
	Try         tryCommand         `cmd:"" help:"Answer the survey in this terminal, then see what the coordinator's channel would get. Nothing is kept."`
	Play        playCommand        `cmd:"" help:"Play a conversation that is written down in a .chat file, and show it."`
	Matrix      matrixCommand      `cmd:"" help:"Show or check a matrix."`
	Results     resultsCommand     `cmd:"" help:"Compute results from answers that were collected elsewhere, on paper or in a spreadsheet."`
	Report      reportCommand      `cmd:"" help:"Read the agreed ratings of many areas together: how many are on each level, by nation, and the average level of each dimension."`
	Rounds      roundsCommand      `cmd:"" help:"List the rounds that are kept, without names of people."`
	Coordinator coordinatorCommand `cmd:"" help:"Add a coordinator to a round, whose last one may have left. The round's record and its channel tell of it."`
	Export      exportCommand      `cmd:"" help:"Write everything of a round that its coordinator may have."`
	Forget      forgetCommand      `cmd:"" help:"Take a person out of every round, and erase what they answered in those that are not closed."`
	Backup      backupCommand      `cmd:"" help:"Write everything that is kept to an encrypted file, while the bot runs."`
	Restore     restoreCommand     `cmd:"" help:"Write a backup back into Redis, without what was erased since; or only check it."`
	Version     struct{}           `cmd:"" help:"Print the version."`
}

// streams are the ends of the program.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// errReported ends the program with an error that has been told already.
var errReported = errors.New("told already")

// run is the program: it returns the exit code, 0 for success, 1 for what went wrong, 2 for a command line that
// cannot be understood.
func run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	var c commands
	exited, code := false, 0
	parser, err := newParser(&c, out, errs, func(n int) { exited, code = true, n })
	if err != nil {
		fmt.Fprintln(errs, "maturitybot:", err)
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
		fmt.Fprintln(errs, "maturitybot:", err)
		fmt.Fprintln(errs, "See maturitybot --help.")
		return 2
	}
	if passwordOnCommandLine(parsed) {
		fmt.Fprintln(errs, "maturitybot: while this runs, everybody on this machine can read the password in --redis-url. "+
			"Set REDIS_URL instead, or REDIS_URL_FILE.")
	}
	s := streams{in: in, out: out, err: errs}
	switch parsed.Command() {
	case "version":
		fmt.Fprintln(out, version())
	default:
		parsed.BindTo(ctx, (*context.Context)(nil))
		err = parsed.Run(s)
	}
	switch {
	case err == nil:
		return 0
	case !errors.Is(err, errReported):
		fmt.Fprintln(errs, "maturitybot:", err)
	}
	return 1
}

// newParser returns a parser that reads a command line and the environment into c.
func newParser(c *commands, out, errs io.Writer, exit func(int)) (*kong.Kong, error) {
	return kong.New(c,
		kong.Name("maturitybot"),
		kong.Description("A chat bot that takes each stakeholder of a local area through the maternity and early years maturity matrix."),
		kong.Writers(out, errs),
		kong.Exit(exit),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: false}),
		kong.PostBuild(ignoreEmptyVariables),
	)
}

// ignoreEmptyVariables makes an environment variable that is empty count as not set, as in a file of
// settings where a line was left as NAME=. To kong it would be a value.
func ignoreEmptyVariables(k *kong.Kong) error {
	empty := func(name string) bool {
		value, set := os.LookupEnv(name)
		return set && strings.TrimSpace(value) == ""
	}
	return kong.Visit(k.Model, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok {
			flag.Tag.Envs = slices.DeleteFunc(slices.Clone(flag.Tag.Envs), empty)
		}
		return next(nil)
	})
}

// passwordOnCommandLine reports whether an address of Redis with a password was given as an argument.
func passwordOnCommandLine(parsed *kong.Context) bool {
	return slices.ContainsFunc(parsed.Path, func(p *kong.Path) bool {
		if p.Flag == nil || p.Flag.Name != "redis-url" {
			return false
		}
		value, _ := parsed.FlagValue(p.Flag).(string)
		return redis.HasPassword(value)
	})
}

// version is the module's version and the commit it was built from, as far as the build knows them.
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
