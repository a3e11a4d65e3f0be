package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

type finding struct {
	Level, Topic, Says string
	Cure               *string
}

func findings(t *testing.T, text string) (all []finding) {
	t.Helper()
	must(t, json.Unmarshal([]byte(text), &all))
	return all
}

// about returns the findings on a topic that are not fine.
func about(all []finding, topic string) (bad []finding) {
	for _, f := range all {
		if f.Topic == topic && f.Level != "ok" {
			bad = append(bad, f)
		}
	}
	return bad
}

func TestDoctorOfAHealthyRoot(t *testing.T) {
	newRoot(t)
	polyipc("put", "jobs", "--create", "1").prints(t, "")
	all := parsed[[]finding](t, polyipc("doctor", "--json"))
	topics := map[string]bool{}
	for _, f := range all {
		topics[f.Topic] = true
		if f.Level == "problem" || (f.Level == "ok") != (f.Cure == nil) && f.Topic != "kernel" {
			t.Errorf("%+v", f)
		}
	}
	for _, topic := range []string{"kernel", "proc", "processors", "open files", "root", "filesystem", "space", "objects", "processes"} {
		if !topics[topic] {
			t.Errorf("nothing is said about %s", topic)
		}
	}
	polyipc("rm", "jobs").prints(t, "")
}

// What is wrong is found, told with its cure, and left as it is.
func TestDoctorFindsDamage(t *testing.T) {
	dir := newRoot(t)
	polyipc("put", "jobs", "--create", "1").prints(t, "")
	must(t, os.Truncate(dir+"/jobs", 70_000))
	must(t, os.WriteFile(dir+"/notes", []byte("mine"), 0o600))
	r := polyipc("doctor", "--json")
	if r.code != exitError {
		t.Errorf("exit code %d: %s", r.code, r.errs)
	}
	bad := about(findings(t, r.out), "objects")
	if len(bad) != 2 || bad[0].Level != "problem" || !strings.Contains(bad[0].Says, `"jobs"`) || *bad[1].Cure != "remove it, when nobody has it open: polyipc rm notes" {
		t.Errorf("%+v", bad)
	}
	for _, name := range []string{"jobs", "notes"} {
		if _, err := os.Lstat(dir + "/" + name); err != nil {
			t.Error(err)
		}
	}
	defer func() { polyipc("rm", "jobs", "notes").prints(t, "") }() // the cure
	if text := polyipc("doctor").out; !strings.Contains(text, "problem") || !strings.Contains(text, "-> remove it") {
		t.Error(text)
	}
}

func TestDoctorOfARootForEverybody(t *testing.T) {
	dir := newRoot(t)
	must(t, os.Chmod(dir, 0o777))
	defer func() { must(t, os.Chmod(dir, 0o700)) }()
	r := polyipc("doctor", "--json")
	bad := about(findings(t, r.out), "root")
	if r.code != exitError || len(bad) != 1 || !strings.Contains(bad[0].Says, "everybody can write to it") {
		t.Errorf("%d %+v", r.code, bad)
	}
}

// In a shell of its own, since limits are for whole processes.
func TestDoctorSeesLimits(t *testing.T) {
	newRoot(t)
	cmd := exec.Command("/bin/sh", "-c", "ulimit -n 200; ulimit -f 100000; exec "+executable+" doctor --json")
	out, err := cmd.Output()
	must(t, err)
	all := findings(t, string(out))
	for _, topic := range []string{"open files", "file size"} {
		if bad := about(all, topic); len(bad) != 1 || bad[0].Level != "warning" || bad[0].Cure == nil {
			t.Errorf("%s: %+v", topic, bad)
		}
	}
}

func TestDoctorSeesAFullFilesystem(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounts a small tmpfs: needs root")
	}
	dir := t.TempDir()
	must(t, syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=512k,nr_inodes=100,mode=700"))
	defer func() { must(t, syscall.Unmount(dir, 0)) }()
	r := polyipc("doctor", "--json", "--root", dir)
	bad := about(findings(t, r.out), "space")
	if r.code != exitError || len(bad) != 2 || bad[0].Level != "problem" || bad[1].Level != "warning" {
		t.Errorf("%d %+v", r.code, bad)
	}
}
