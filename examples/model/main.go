// Command model has a model in Python that programs in Go and C use.
//
// The model is an object of a Python class (server.py), hosted through a manager: what it has learned lies in the Python
// process, and everybody calls it by the name "mail". This process teaches it, and asks; a program in C (c/classify.c)
// asks for the same texts, and what the two are told must be the same. What Python raises comes as an error here.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/polyipc/polyipc/runtime/manager"
)

// lessons are what the model learns from, and questions what it is asked.
var (
	lessons = []struct{ text, label string }{
		{"win money now", "spam"},
		{"cheap pills, order now", "spam"},
		{"you have won a prize", "spam"},
		{"lunch at noon tomorrow", "mail"},
		{"notes of the meeting", "mail"},
		{"could you review my patch", "mail"},
	}
	questions = []string{"order cheap money", "notes for lunch", "review the meeting tomorrow"}
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "model:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	root, err := os.MkdirTemp("/dev/shm", "polyipc-model-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(root)
	if err := os.Setenv("POLYIPC_ROOT", root); err != nil { // of the other processes, too
		return err
	}
	s, err := serve(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.end()) }()
	c, err := manager.Connect(ctx, name, manager.Options{})
	if err != nil {
		return err
	}
	defer c.Close()
	mail, err := c.Open(ctx, "mail", "")
	if err != nil {
		return err
	}
	if err := teach(ctx, mail); err != nil {
		return err
	}
	here, err := ask(ctx, mail)
	if err != nil {
		return err
	}
	there, err := askInC(ctx)
	if err != nil {
		return err
	}
	fmt.Print(here, there)
	if strings.ReplaceAll(there, "C: ", "Go: ") != here {
		return errors.New("the program in C was told something else")
	}
	fmt.Println("both were told the same")
	return nil
}

// teach teaches the model. Before that it cannot answer, and says so.
func teach(ctx context.Context, mail manager.Object) error {
	if _, err := mail.Call(ctx, "classify", "anything"); !manager.Failed(err, "ValueError") {
		return fmt.Errorf("a model that knows nothing answered: %v", err)
	} else {
		fmt.Println("Python raised", err)
	}
	for _, l := range lessons {
		if _, err := mail.Call(ctx, "learn", l.text, l.label); err != nil {
			return err
		}
	}
	return nil
}

// Answer is what the model says of a text.
type Answer struct {
	Label       string  `msgpack:"label"`
	Probability float64 `msgpack:"probability"`
}

func ask(ctx context.Context, mail manager.Object) (lines string, err error) {
	for _, text := range questions {
		var a Answer
		if err := mail.CallInto(ctx, &a, "classify", []any{text}, nil); err != nil {
			return "", err
		}
		lines += fmt.Sprintf("Go: %s: %s, %.0f %%\n", text, a.Label, 100*a.Probability)
	}
	return lines, nil
}

func askInC(ctx context.Context) (lines string, err error) {
	top, err := top()
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(top, "build/bin/examples/classify"), append([]string{name}, questions...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	return string(out), err
}

// name is that of the manager.
const name = "models"

// server is the Python process.
type server struct {
	cmd *exec.Cmd
	in  interface{ Close() error }
}

func serve(ctx context.Context) (*server, error) {
	top, err := top()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(top, ".venv/bin/python"), filepath.Join(top, "examples/model/server.py"), name)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &server{cmd, in}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		return nil, errors.Join(fmt.Errorf("server.py did not start: %q %w", line, err), s.end())
	}
	return s, nil
}

func (s *server) end() error { return errors.Join(s.in.Close(), s.cmd.Wait()) }

// top is the source tree, in which this program was built as build/bin/examples/go/model.
func top() (string, error) {
	program, err := os.Executable()
	return filepath.Join(filepath.Dir(program), "../../../.."), err
}
