package chat

// AppSpec is what a platform is told about the bot when it is set up there.
type AppSpec struct {
	Description string
	Commands    []CommandSpec
}

// CommandSpec is a command that users can type, in one language, as a platform offers it.
type CommandSpec struct {
	Name string // without a slash
	// Locale is the language that the command asks for (BCP 47), or empty for that of the platform.
	Locale string
	// About says what the command is for, Summary the same in one line beside Hint, which lists the
	// words that can follow.
	About, Summary, Hint string
	Subcommands          []Subcommand
	// Argument names the option whose value is the argument of the action. The values of the others
	// are in Event.Values.
	Argument string
}

// Subcommand is a word that can follow a command. It is the verb of the action.
type Subcommand struct {
	Word    string
	About   string
	Options []CommandOption
}

// CommandOption is a field that a user may fill in with a command.
type CommandOption struct {
	Name      string
	About     string
	MaxLength int  // in characters
	Suggests  bool // the bot completes it while it is typed
}
