package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/polyipc/polyipc/runtime/root"
)

// command builds the tree of verbs.
func (a *app) command() *cobra.Command {
	top := &cobra.Command{
		Use:   "polyipc",
		Short: "Look at and use the objects that processes on this host share",
		Long: `Look at and use the objects that processes on this host share.

Results go to standard output, messages to standard error. Exit codes: 0 done, 1 error, 2 the command
line makes no sense, 3 get found no message or put no room in time.`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	top.PersistentFlags().StringVar(&a.root, "root", "", "directory with the objects (default $POLYIPC_ROOT, or /dev/shm/polyipc-UID)")
	top.PersistentFlags().BoolVar(&a.json, "json", false, "print results as JSON")
	top.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if cmd.Name() == "put" && strings.Contains(err.Error(), "shorthand") {
			return usage("%w; values that begin with a minus go behind \"--\"", err)
		}
		return usageError{err}
	})
	top.SuggestionsMinimumDistance = 2
	// Without a verb, and for one that does not exist, cobra would print the help and call it success.
	top.Args = cobra.ArbitraryArgs
	top.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			if similar := cmd.SuggestionsFor(args[0]); len(similar) > 0 {
				return usage("there is no verb %q: did you mean %s?", args[0], strings.Join(similar, " or "))
			}
			return usage("there is no verb %q", args[0])
		}
		return usage("a verb is missing, such as ls, stat, put or get")
	}
	top.AddCommand(a.lsCommand(), a.statCommand(), a.putCommand(), a.getCommand(), a.rmCommand(),
		a.catCommand(), a.managerCommand(), a.callCommand(), a.dictCommand(), a.gcCommand(), a.doctorCommand(), a.versionCommand())
	for _, c := range top.Commands() {
		check := c.Args
		c.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usageError{err}
			}
			return nil
		}
	}
	return top
}

// noArgs says it more to the point than cobra.NoArgs.
func noArgs(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage("%q: this verb takes no arguments", args[0])
	}
	return nil
}

// completeNames offers the names of objects to the shell's completion.
func (a *app) completeNames(_ *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	objects, _ := root.List(a.root) // a root in trouble offers nothing
	var names []string
	for _, o := range objects {
		names = append(names, o.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeName does so for verbs that take one name.
func (a *app) completeName(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.completeNames(cmd, args, word)
}
