package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/root"
)

// objectJSON is an object as --json shows it.
type objectJSON struct {
	Name     string       `json:"name"`
	Kind     *string      `json:"kind"`     // null: damaged
	Lifetime *string      `json:"lifetime"` // "kept" or "transient"; null: damaged
	InUse    bool         `json:"in_use"`
	Stale    bool         `json:"stale"`
	Parts    int          `json:"parts"`
	Bytes    int64        `json:"bytes"`
	Created  *string      `json:"created"`
	UUID     *string      `json:"uuid"`
	Server   *processJSON `json:"server,omitempty"` // of a manager; absent if it is dead
	Error    *string      `json:"error"`
	Code     *string      `json:"code"` // name of the error's code
}

func describe(o root.Object) objectJSON {
	j := objectJSON{Name: o.Name, InUse: o.Users, Stale: o.Stale, Parts: o.Parts, Bytes: o.Bytes}
	if o.Err != nil {
		text, code := o.Err.Error(), ipcerr.CodeOf(o.Err).Name()
		j.Error, j.Code = &text, &code
		return j
	}
	lifetime, created, id := lifetime(o), o.Created.UTC().Format(time.RFC3339Nano), uuid.UUID(o.UUID).String()
	j.Kind, j.Lifetime, j.Created, j.UUID = &o.Kind, &lifetime, &created, &id
	if o.Server != nil {
		p := describeProcess(*o.Server)
		j.Server = &p
	}
	return j
}

func lifetime(o root.Object) string {
	if o.Transient {
		return "transient"
	}
	return "kept"
}

// kindManager is the kind of objects that have a server.
const kindManager = "manager"

type processJSON struct {
	Pid      int    `json:"pid"`
	PidNS    uint64 `json:"pid_namespace"`
	Language string `json:"language"`
	Command  string `json:"command"`
	Joined   string `json:"joined"`
}

func describeProcess(p root.Process) processJSON {
	return processJSON{p.Pid, p.PidNS, p.Language, p.Command, p.Joined.UTC().Format(time.RFC3339Nano)}
}

func (a *app) lsCommand() *cobra.Command {
	var names, processes bool
	c := &cobra.Command{
		Use:   "ls",
		Short: "List the objects of the root, or its processes",
		Long: `List the objects of the root, or its processes.

An object is stale if its processes are dead and nobody can use it again: gc removes it. A file that is
no whole object is listed with what is wrong with it: rm removes it, unless a process has it open.`,
		Example: `  polyipc ls
  polyipc ls --json | jq -r '.[] | select(.stale) | .name'
  polyipc ls --names | xargs -r polyipc rm`,
		Args:              noArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error {
			switch {
			case names && (processes || a.json):
				return usage("--names goes with neither --processes nor --json")
			case processes:
				return a.lsProcesses()
			}
			return a.ls(names)
		},
	}
	c.Flags().BoolVarP(&names, "names", "q", false, "print names only")
	c.Flags().BoolVarP(&processes, "processes", "p", false, "list the living processes that take part in the root")
	return c
}

func (a *app) ls(names bool) error {
	objects, err := root.List(a.root)
	if err != nil {
		return err
	}
	if a.json {
		list := make([]objectJSON, len(objects))
		for i, o := range objects {
			list[i] = describe(o)
		}
		return a.writeJSON(list)
	}
	if names {
		var b strings.Builder
		for _, o := range objects {
			b.WriteString(o.Name + "\n")
		}
		return a.write([]byte(b.String()))
	}
	if len(objects) == 0 {
		return nil
	}
	rows := [][]string{{"NAME", "KIND", "LIFETIME", "IN USE", "MEMORY", "AGE", "NOTE"}}
	for _, o := range objects {
		use := "no"
		if o.Users {
			use = "yes"
		}
		row := []string{clean(o.Name), "?", "?", use, inBytes(o.Bytes), "?", ""}
		switch {
		case o.Err != nil:
			row[6] = clean(reason(o.Err))
		default:
			row[1], row[2], row[5] = o.Kind, lifetime(o), span(time.Since(o.Created))
			switch {
			case o.Stale:
				row[6] = "stale"
			case o.Server != nil:
				row[6] = fmt.Sprintf("server %d", o.Server.Pid)
			case o.Kind == kindManager:
				row[6] = "its server is dead"
			}
		}
		rows = append(rows, row)
	}
	return a.write(table(rows))
}

// reason is an error without the operation and the name, which the line shows already.
func reason(err error) string {
	if e, ok := err.(*ipcerr.Error); ok && e.Hint != "" {
		return e.Hint
	}
	return err.Error()
}

func (a *app) lsProcesses() error {
	processes, err := root.Processes(a.root)
	if err != nil {
		return err
	}
	if a.json {
		list := make([]processJSON, len(processes))
		for i, p := range processes {
			list[i] = describeProcess(p)
		}
		return a.writeJSON(list)
	}
	if len(processes) == 0 {
		return nil
	}
	rows := [][]string{{"PID", "LANGUAGE", "JOINED", "COMMAND"}}
	for _, p := range processes {
		rows = append(rows, []string{fmt.Sprint(p.Pid), clean(p.Language), span(time.Since(p.Joined)) + " ago", clean(p.Command)})
	}
	return a.write(table(rows))
}
