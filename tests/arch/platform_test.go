package arch

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// crossBuild compiles, but does not link, what needs no cgo, for another platform.
func crossBuild(t *testing.T, goos, goarch string) (output string, err error) {
	t.Helper()
	cmd := exec.Command("go", "build", "./runtime/...", "./codec/...", "./cmd/...")
	cmd.Dir = root(t)
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestBuildsWithoutCgo(t *testing.T) {
	for _, goarch := range []string{"amd64", "arm64"} {
		if out, err := crossBuild(t, "linux", goarch); err != nil {
			t.Errorf("linux/%s: %v\n%s", goarch, err, out)
		}
	}
}

// TestOtherPlatformsAreRefused wants one clear sentence, and no compiler errors around it, from a
// build for a platform that polyipc does not run on.
func TestOtherPlatformsAreRefused(t *testing.T) {
	sentence := regexp.MustCompile(`^\S+: undefined: polyipc_supports_64_bit_Linux_only$`)
	for _, platform := range []string{"darwin/arm64", "windows/amd64", "linux/386"} {
		goos, goarch, _ := strings.Cut(platform, "/")
		out, err := crossBuild(t, goos, goarch)
		if err == nil {
			t.Errorf("%s: the build went through", platform)
		}
		said := false
		for line := range strings.Lines(out) {
			switch line = strings.TrimSpace(line); {
			case strings.HasPrefix(line, "# "+module):
			case strings.HasPrefix(line, "go: downloading "): // a module that only the other platform needs
			case sentence.MatchString(line):
				said = true
			default:
				t.Errorf("%s: besides the one clear sentence the build says: %s", platform, line)
			}
		}
		if !said {
			t.Errorf("%s: the build does not say that it is for 64-bit Linux only:\n%s", platform, out)
		}
	}
}

// TestConfigureRefusesOtherPlatforms lets CMake believe that it is elsewhere.
func TestConfigureRefusesOtherPlatforms(t *testing.T) {
	for _, lie := range []string{"-DCMAKE_SYSTEM_NAME=FreeBSD", "-DPOLYIPC_HAS_GLIBC=0"} {
		cmd := exec.Command("cmake", "-S", root(t), "-B", t.TempDir(), lie)
		out, err := cmd.CombinedOutput()
		said := strings.Join(strings.Fields(string(out)), " ")
		if err == nil || !strings.Contains(said, "polyipc runs on 64-bit Linux with glibc only; this is ") {
			t.Errorf("cmake %s: %v\n%s", lie, err, out)
		}
	}
}
