package shm

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/ipcerr"
)

func TestOpenRootMakesADirectoryForUsAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made")
	r, err := OpenRoot(dir + "/./")
	must(t, err)
	st, err := os.Stat(dir)
	must(t, err)
	if r.Path() != dir || st.Mode() != os.ModeDir|0o700 || r.Shared() {
		t.Fatal(r.Path(), st.Mode(), r.Shared())
	}
}

func TestOpenRootDefaults(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o755))
	t.Setenv(EnvRoot, dir)
	r, err := OpenRoot("")
	must(t, err)
	if r.Path() != dir {
		t.Fatal(r.Path())
	}
	t.Chdir(dir)
	r, err = OpenRoot("sub")
	must(t, err)
	if r.Path() != dir+"/sub" {
		t.Fatal("a relative path became", r.Path())
	}
}

func TestOpenRootDistrusts(t *testing.T) {
	dir := t.TempDir()
	sub := func(name string, mode os.FileMode) string {
		p := filepath.Join(dir, name)
		must(t, os.Mkdir(p, 0o700))
		must(t, os.Chmod(p, mode))
		return p
	}
	link := filepath.Join(dir, "link")
	must(t, os.Symlink(sub("target", 0o700), link))
	file := filepath.Join(dir, "file")
	must(t, os.WriteFile(file, nil, 0o600))

	for name, c := range map[string]struct {
		path string
		code ipcerr.Code
		says string
	}{
		"symlink":           {link, ipcerr.Denied, "symbolic link"},
		"symlink and slash": {link + "/", ipcerr.Denied, "symbolic link"},
		"file":              {file, ipcerr.Invalid, "not a directory"},
		"below a file":      {file + "/x", ipcerr.Invalid, "not a directory"},
		"world":             {sub("world", 0o777), ipcerr.Denied, "everybody"},
		"world, sticky":     {sub("sticky", 0o777|os.ModeSticky), ipcerr.Denied, "everybody"},
		"world, shared":     {sub("worldshared", 0o777|os.ModeSetgid), ipcerr.Denied, "everybody"},
		"group":             {sub("group", 0o770), ipcerr.Denied, "chmod g+ws"},
		"no parent":         {dir + "/a/b", ipcerr.NotFound, "above"},
		"zero byte":         {"/dev/shm/a\x00b", ipcerr.Invalid, "zero byte"},
		"long":              {dir + "/" + strings.Repeat("x", 10000), ipcerr.Invalid, "too long"},
		"long parts":        {dir + strings.Repeat("/x", 5000), ipcerr.Invalid, "too long"},
		"proc":              {"/proc/self", 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := OpenRoot(c.path)
			if name == "proc" { // no place for a root, but which error it is depends on who we are
				if err == nil {
					_, err = r.Create("", spec(0))
				}
				if err == nil {
					t.Fatal("made an object in /proc")
				}
				return
			}
			want(t, err, c.code)
			if !strings.Contains(err.Error(), c.says) {
				t.Fatalf("%q does not say %q", err, c.says)
			}
		})
	}
}

func TestOpenRootOfAGroup(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o770|os.ModeSetgid))
	r, err := OpenRoot(dir)
	must(t, err)
	if !r.Shared() {
		t.Fatal("a set-group-id directory that the group can write to is shared")
	}
	old := syscall.Umask(0o077)
	o, err := r.Create("x", spec(0))
	syscall.Umask(old)
	must(t, err)
	st, err := os.Stat(dir + "/x")
	must(t, err)
	if st.Mode() != 0o660 {
		t.Fatalf("an object in it has mode %v", st.Mode())
	}
	must(t, o.Close())
	must(t, r.Unlink("x", 0))
}

func TestUmaskDoesNotMatter(t *testing.T) {
	r := testRoot(t)
	old := syscall.Umask(0o777)
	o, err := r.Create("x", spec(0))
	syscall.Umask(old)
	must(t, err)
	st, err := os.Stat(at(r, "x"))
	must(t, err)
	if st.Mode() != 0o600 {
		t.Fatal(st.Mode())
	}
	must(t, r.Unlink("x", 0))
	must(t, o.Close())
}

// Another user's root, and one of a group that we are not in.
func TestOpenRootOfOthers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to be two users")
	}
	dir := t.TempDir()
	must(t, os.Chown(dir, 12345, 12345))
	_, err := OpenRoot(dir)
	want(t, err, ipcerr.Denied)
	if !strings.Contains(err.Error(), "user 12345") {
		t.Fatal(err)
	}
	// In the default place, not even a shared one of another user will do.
	must(t, os.Chmod(dir, 0o770|os.ModeSetgid))
	r := &Root{path: dir}
	var st unix.Stat_t
	must(t, unix.Stat(dir, &st))
	want(t, r.trust(&st, false), ipcerr.Denied)
	must(t, r.trust(&st, true))
}

// Without the right to write, everything is DENIED, and nothing else happens.
func TestNoPermission(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to become a user without rights")
	}
	r := testRoot(t)
	o := create(t, r, "x", 0)
	cmd := exec.Command("/proc/self/exe", r.Path())
	cmd.Env = append(os.Environ(), "SHM_HELPER=denied")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 54321, Gid: 54321}}
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "helper failed") || !strings.Contains(string(out), "we are user 54321") {
		t.Fatalf("%v: %s", err, out)
	}
	must(t, o.Close())
	must(t, r.Unlink("x", 0))
}

func TestForeignFilesystems(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to mount")
	}
	dir := t.TempDir()
	for _, d := range []string{"l", "u", "w", "m"} {
		must(t, os.Mkdir(dir+"/"+d, 0o700))
	}
	// An overlay wants an upper layer that is none itself, so build it on a tmpfs.
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skip("cannot mount here:", err)
	}
	defer func() { _ = unix.Unmount(dir, 0) }()
	for _, d := range []string{"l", "u", "w", "m"} {
		must(t, os.Mkdir(dir+"/"+d, 0o700))
	}
	if err := unix.Mount("overlay", dir+"/m", "overlay", 0, "lowerdir="+dir+"/l,upperdir="+dir+"/u,workdir="+dir+"/w"); err != nil {
		t.Skip("cannot mount an overlay here:", err)
	}
	defer func() { _ = unix.Unmount(dir+"/m", 0) }()
	_, err := OpenRoot(dir + "/m")
	want(t, err, ipcerr.Unsupported)
	if !strings.Contains(err.Error(), "overlay") {
		t.Fatal(err)
	}
}

func init() {
	helpers["denied"] = func(*Root, []string) error { return nil } // OpenRoot fails before
}
