package main

import (
	"runtime"
	"runtime/debug"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/polyipc/polyipc/runtime/root"
)

// What this is, as include/polyipc/version.h says it: a test holds the two together.
const (
	version = "0.1.0"
	abi     = 1
)

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the versions of polyipc, its ABI and layout, and Go",
		Long: `Print the version of polyipc; the number of the C ABI it belongs to; the version of the layout in
shared memory, which all processes of a root must agree on; and the Go release that built it.`,
		Args:              noArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error {
			v := struct {
				Version  string `json:"version"`
				ABI      int    `json:"abi"`
				Layout   int    `json:"layout"`
				Go       string `json:"go"`
				Platform string `json:"platform"`
				Revision string `json:"revision"` // of the source; "" unknown
			}{version, abi, root.LayoutVersion, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH, revision()}
			if a.json {
				return a.writeJSON(v)
			}
			rows := [][]string{{"polyipc", v.Version}, {"abi", strconv.Itoa(v.ABI)}, {"layout", strconv.Itoa(v.Layout)}, {"go", v.Go + " " + v.Platform}}
			if v.Revision != "" {
				rows = append(rows, []string{"revision", v.Revision})
			}
			return a.write(table(rows))
		},
	}
}

// revision is the commit that the binary was built from, with a plus sign if files had changed.
func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	hash, changed := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			hash = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = "+"
		}
	}
	if hash == "" {
		return ""
	}
	return hash + changed
}
