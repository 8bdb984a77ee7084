package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/nanoring/nanoring"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// options are the flags that all commands share.
type options struct {
	data       string // the data folder of the node that is meant
	api        string // or the URL of its HTTP API
	apiCA      string // file of the CAs by which it is known there
	secretFile string // of the ring
	token      string // or what the API takes
	tokenFile  string // or the file that has it
	ring       string
	output     string
	config     string // file of settings

	tokenLife time.Duration // of a token that a command signs for itself; 0 is a minute

	sources map[string]source // of flags that were given
}

var outputs = []string{"table", "names", "json"}

// newRoot returns the command line, and whether a command of it has begun, set
// when the command line itself was found to be right.
func newRoot() (*cobra.Command, *bool) {
	var o options
	begun := new(bool)
	root := &cobra.Command{
		Use:   "nanoring",
		Short: "A very small, masterless cluster membership system",
		Long: `A ring is a set of nodes without a master: every node knows all that belong to
the ring, and which of them are up.

'nanoring node' runs a node. The other commands speak to a running one, over the
socket in its data folder (--data) or over HTTP (--api); any node of a ring will
do. 'nanoring demo' shows it all on this machine.

Exit status: 0 done, 1 the node said no, 2 wrong usage, 3 no node answers,
4 the node was removed from its ring (it needs --rejoin to come back).`,
		Example: `  nanoring demo
  nanoring node --name dev1 --listen 127.0.0.1:7001 --data data/dev1
  nanoring --data data/dev1 add dev2@127.0.0.1:7002
  nanoring --data data/dev1 up`,
		Version:       nanoring.Version, // which makes --version
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetVersionTemplate(thisProgram().String() + "\n")
	o.register(root.PersistentFlags())
	root.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(outputs, cobra.ShellCompDirectiveNoFileComp))
	root.MarkPersistentFlagDirname("data")
	root.MarkPersistentFlagFilename("secret-file")
	root.MarkPersistentFlagFilename("token-file")
	root.MarkPersistentFlagFilename("api-ca", "pem")
	root.MarkPersistentFlagFilename("config", "toml")
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		if err := o.readSources(cmd.Flags(), slices.Contains(sharedOf(cmd), "config")); err != nil {
			return err
		}
		if !slices.Contains(outputs, o.output) && (o.output == "" || cmd.Annotations["output"] != o.output) {
			return fmt.Errorf("no output %q: there are %s", o.output, strings.Join(outputs, ", "))
		}
		*begun = true
		return nil
	}
	root.AddGroup(
		&cobra.Group{ID: "run", Title: "Run nodes:"},
		&cobra.Group{ID: "ask", Title: "Speak to a running node:"},
		&cobra.Group{ID: "say", Title: "Speak to all nodes through one:"},
		&cobra.Group{ID: "other", Title: "Other commands:"},
	)
	group(root, "run", nodeCommand(&o), demoCommand(), keygenCommand(), tokenCommand(&o))
	group(root, "ask", addCommand(&o), delCommand(&o), pruneCommand(&o), allCommand(&o), upCommand(&o), ownerCommand(&o),
		statusCommand(&o), whyCommand(&o), reachCommand(&o), rttCommand(&o), diffCommand(&o), doctorCommand(&o), tagsCommand(&o), cordonCommand(&o, true), cordonCommand(&o, false), drainCommand(&o), engineCommand(&o), watchCommand(&o), leaveCommand(&o), backupCommand(&o), openCommand(&o))
	group(root, "say", sendCommand(&o), tellCommand(&o), askCommand(&o), listenCommand(&o))
	group(root, "other", restoreCommand(&o), inspectCommand(), simCommand(&o), configCommand(), versionCommand(&o), manCommand())
	root.SetHelpCommandGroupID("other")
	root.SetCompletionCommandGroupID("other")
	addCompletion(root)
	root.InitDefaultHelpCmd()
	if help, _, err := root.Find([]string{"help"}); err == nil {
		help.Example = "  nanoring help node"
		help.Args = func(_ *cobra.Command, args []string) error { // else it prints help, with status 0
			_, _, err := root.Find(args)
			return err
		}
	}
	root.SetFlagErrorFunc(badFlag)
	help := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		hideUnused(cmd)
		help(cmd, args)
	})
	return root, begun
}

// register adds the flags that all commands share.
func (o *options) register(flags *pflag.FlagSet) {
	flags.StringVar(&o.data, "data", defaultData(), "the node's data folder")
	flags.StringVar(&o.api, "api", "", "URL of the node's HTTP API, instead of its data folder")
	flags.StringVar(&o.apiCA, "api-ca", "", "file with the CA (PEM) of an https --api, as nanoring token --ca prints the ring's")
	flags.StringVar(&o.secretFile, "secret-file", "", "file with the ring's secret, as nanoring keygen prints it")
	flags.StringVar(&o.token, "token", "", "token for --api, without the secret; all users of a machine see what flags a process has")
	flags.StringVar(&o.tokenFile, "token-file", "", "file with it, as nanoring token --out writes it")
	flags.StringVar(&o.ring, "ring", defaultRing, "name of the ring; rings of two names never merge")
	flags.StringVarP(&o.output, "output", "o", "table", "how to print: "+strings.Join(outputs, ", "))
	flags.StringVar(&o.config, "config", "", "file of a node's settings, in TOML, whose keys are these flags")
	markEnv(flags)
	markFile(flags, "api-ca", "data", "ring", "secret-file")
}

// hideUnused leaves the shared flags that a command does nothing with out of its help.
func hideUnused(cmd *cobra.Command) {
	used := sharedOf(cmd)
	cmd.InheritedFlags().VisitAll(func(f *pflag.Flag) { f.Hidden = !slices.Contains(used, f.Name) })
}

// sharedOf returns the shared flags that a command does something with.
func sharedOf(cmd *cobra.Command) []string {
	top := cmd
	for top.HasParent() && top.Parent().HasParent() {
		top = top.Parent()
	}
	if top.GroupID == "ask" || top.GroupID == "say" {
		return []string{"api", "api-ca", "config", "data", "output", "ring", "secret-file", "token", "token-file"}
	}
	return map[string][]string{
		"node": {"config", "data", "ring", "secret-file"}, "token": {"config", "ring", "secret-file"}, "sim": {"config", "output"},
		"restore": {"data", "output"}, "version": {"output"},
	}[top.Name()]
}

// addCompletion adds cobra's command, with examples.
func addCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() != "completion" {
			continue
		}
		cmd.Example = "  source <(nanoring completion bash)"
		cmd.Args = cobra.ArbitraryArgs
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { // a shell that is not one would be sent help, with status 0
			return usage(cmd, errors.New("say which shell: bash, zsh, fish, powershell"))
		}
		for _, shell := range cmd.Commands() {
			shell.Example = map[string]string{
				"bash":       "  source <(nanoring completion bash)",
				"zsh":        "  source <(nanoring completion zsh)",
				"fish":       "  nanoring completion fish | source",
				"powershell": "  nanoring completion powershell | Out-String | Invoke-Expression",
			}[shell.Name()]
		}
	}
}

func group(root *cobra.Command, id string, cmds ...*cobra.Command) {
	for _, c := range cmds {
		c.GroupID = id
		c.SuggestFor = saidElsewhere[c.Name()]
	}
	root.AddCommand(cmds...)
}

// defaultData is where a node keeps its data unless told otherwise, wherever
// its commands are typed; empty when there is no such place.
func defaultData() string {
	if runtime.GOOS == "windows" {
		local, err := os.UserCacheDir() // %LocalAppData%
		if err != nil {
			return ""
		}
		return filepath.Join(local, "nanoring")
	}
	state := os.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(state) {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		state = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(state, "nanoring")
}
