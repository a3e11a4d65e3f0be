package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/root"
)

func (a *app) rmCommand() *cobra.Command {
	var force bool
	c := &cobra.Command{
		Use:   "rm NAME...",
		Short: "Remove objects of any kind, with what is in them",
		Long: `Remove objects of any kind, with what is in them.

A process that has an object open goes on using it; the object then has its UUID for a name and goes
with the last of them. Every name is tried; the exit code is 1 if one could not be removed.`,
		Example: `  polyipc rm jobs results
  polyipc rm --force jobs   # no error if there is none`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: a.completeNames,
		RunE:              func(_ *cobra.Command, names []string) error { return a.rm(names, force) },
	}
	c.Flags().BoolVarP(&force, "force", "f", false, "a name that does not exist is no error")
	return c
}

func (a *app) rm(names []string, force bool) error {
	removed, failed := []string{}, false
	for _, name := range names {
		switch err := root.Remove(a.root, name); {
		case err == nil:
			removed = append(removed, name)
		case force && errors.Is(err, ipcerr.NotFound):
		default:
			a.warn(err)
			failed = true
		}
	}
	if a.json {
		if err := a.writeJSON(map[string]any{"removed": removed}); err != nil {
			return err
		}
	}
	if failed {
		return errReported
	}
	return nil
}

func (a *app) gcCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "gc",
		Short: "Remove what dead processes left in the root",
		Long: `Remove what dead processes left in the root: transient objects without users, parts without their
object, files that were never finished. Kept objects stay. Processes do the same by themselves whenever
one joins or leaves the root.`,
		Args:              noArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error {
			n, gcErr := root.GC(a.root)
			var err error
			if a.json {
				err = a.writeJSON(map[string]any{"removed": n})
			} else {
				err = a.write(fmt.Appendf(nil, "removed %s\n", count(n, "file")))
			}
			return errors.Join(gcErr, err)
		},
	}
}
