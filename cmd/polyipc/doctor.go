package main

import (
	"github.com/spf13/cobra"

	"github.com/polyipc/polyipc/runtime/root"
)

type findingJSON struct {
	Level string  `json:"level"` // "ok", "warning" or "problem"
	Topic string  `json:"topic"`
	Says  string  `json:"says"`
	Cure  *string `json:"cure"`
}

func (a *app) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check machine and root, and say what to do",
		Long: `Check machine and root, and say what to do.

Looked at are kernel, processors and limits, and of the root: who may use it, its filesystem, the space and
memory that are left, damaged files, and what dead processes left. Nothing is changed. The exit code is 1 if
there is a problem, 0 if there are warnings at most.`,
		Args:              noArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(*cobra.Command, []string) error { return a.doctor() },
	}
}

func (a *app) doctor() error {
	findings := root.Check(a.root)
	var err error // the exit code
	rows := [][]string{}
	list := make([]findingJSON, len(findings))
	for i, f := range findings {
		if f.Level == root.Problem {
			err = errReported
		}
		list[i] = findingJSON{Level: f.Level.String(), Topic: f.Topic, Says: f.Says}
		rows = append(rows, []string{f.Level.String(), f.Topic, clean(f.Says)})
		if f.Cure != "" {
			list[i].Cure = &f.Cure
			rows = append(rows, []string{"", "", "-> " + clean(f.Cure)})
		}
	}
	var written error
	if a.json {
		written = a.writeJSON(list)
	} else {
		written = a.write(table(rows))
	}
	if written != nil {
		return written
	}
	return err
}
