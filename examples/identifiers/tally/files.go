package tally

import (
	"io/fs"
	"os"
	"path/filepath"
)

// Files calls f with the path of every regular file below dir, in a fixed order.
func Files(dir string, f func(path string, data []byte) error) error {
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return f(path, data)
	})
}
