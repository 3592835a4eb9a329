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
	"syscall"
	_ "time/tzdata" // rounds are kept in named time zones, also where the machine has no list of them

	"github.com/alecthomas/kong"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// commands is the whole command line.
type commands struct {
	Serve    serveCommand    `cmd:"" help:"Run the bot where it is given tokens for."`
	Check    checkCommand    `cmd:"" help:"Try the configuration of serve: Redis, the platforms, the files; say what works, what is wrong, and what to do. Changes nothing."`
	Ready    readyCommand    `cmd:"" help:"Ask the bot that serves on this machine whether it is ready; the exit code tells."`
	Manifest manifestCommand `cmd:"" help:"Print what a chat platform is told to make an app for the bot."`
	Try      tryCommand      `cmd:"" help:"Answer the survey in this terminal, then see what the coordinator's channel would get. Nothing is kept."`
	Play     playCommand     `cmd:"" help:"Play a conversation that is written down in a .chat file, and show it."`
	Matrix   matrixCommand   `cmd:"" help:"Show or check a matrix."`
	Results  resultsCommand  `cmd:"" help:"Compute results from answers that were collected elsewhere, on paper or in a spreadsheet."`
	Report   reportCommand   `cmd:"" help:"Read the agreed ratings of many areas together: how many are on each level, by nation, and the average level of each dimension."`
	Rounds   roundsCommand   `cmd:"" help:"List the rounds that are kept, without names of people."`
	Export   exportCommand   `cmd:"" help:"Write everything of a round that its coordinator may have."`
	Forget   forgetCommand   `cmd:"" help:"Take a person out of every round, and erase what they answered in those that are not closed."`
	Backup   backupCommand   `cmd:"" help:"Write everything that is kept to an encrypted file, while the bot runs."`
	Restore  restoreCommand  `cmd:"" help:"Write a backup back into Redis, without what was erased since; or only check it."`
	Version  struct{}        `cmd:"" help:"Print the version."`
}

// streams are the ends of the program.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// errSilent ends the program with an error that has been told already.
var errSilent = errors.New("told already")

// run is the program: it returns the exit code, 0 for success, 1 for what went wrong, 2 for a command line that
// cannot be understood.
func run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	var c commands
	exited, code := false, 0
	parser, err := kong.New(&c,
		kong.Name("maturitybot"),
		kong.Description("A chat bot that takes each stakeholder of a local area through the maternity and early years maturity matrix."),
		kong.Writers(out, errs),
		kong.Exit(func(n int) { exited, code = true, n }),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: false}),
	)
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
	case !errors.Is(err, errSilent):
		fmt.Fprintln(errs, "maturitybot:", err)
	}
	return 1
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
