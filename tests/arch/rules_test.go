package arch

// floors, lowest first. A package imports packages of lower floors only.
var floors = [][]string{
	{"codec", "runtime/ipcerr"},
	{
		"runtime/internal/layout", "runtime/internal/shm", "runtime/internal/futex",
		"runtime/internal/crash", "runtime/internal/trace",
	},
	{"runtime/internal/ring", "runtime/internal/park", "runtime/internal/member", "runtime/internal/live", "runtime/internal/frame"},
	{"runtime/internal/object"},
	{"runtime/internal/mutex", "runtime/internal/doorbell", "runtime/internal/handover"},
	{"runtime/internal/fifo", "runtime/wait"},
	{
		"runtime/queue", "runtime/pipe", "runtime/segment", "runtime/psync", "runtime/process", "runtime/root", "runtime/events",
		"runtime/host", "runtime/tls",
	},
	{"runtime/internal/serve"},
	{"runtime/manager", "runtime/journal"},
	{"spawn", "capi", "cmd/polyipc"},
}

// sameFloor are the imports within one floor that are meant, with the reason.
var sameFloor = map[[2]string]string{
	{"codec", "runtime/ipcerr"}:                           "codec's errors are the library's",
	{"runtime/internal/shm", "runtime/internal/layout"}:   "a file is published with its header filled in",
	{"runtime/internal/shm", "runtime/internal/crash"}:    "publishing has crash points",
	{"runtime/internal/futex", "runtime/internal/layout"}: "layout says where polyipc does not run",
	{"runtime/internal/trace", "runtime/internal/layout"}: "layout says where polyipc does not run",
	{"runtime/internal/shm", "runtime/internal/trace"}:    "what is reaped is an event",
}

// dependencies are the modules that go.mod may require directly. docs/rationale.md says why.
var dependencies = []string{
	"golang.org/x/sys",
	"github.com/vmihailenco/msgpack/v5",
	"github.com/google/uuid",
	"github.com/spf13/cobra", // cmd/polyipc only
	"go.etcd.io/bbolt",       // runtime/journal only
}

// notInLibrary are modules that libpolyipc.so must not have.
var notInLibrary = []string{"github.com/spf13/cobra", "go.etcd.io/bbolt"}

// unsafeFiles, and the files of directories (with a slash), may import unsafe, for the reason given.
var unsafeFiles = map[string]string{
	"runtime/internal/layout/view.go": "typed views over mapped bytes",
	"runtime/internal/layout/ring.go": "records and copies within the mapped data area",
	"runtime/internal/shm/mapping.go": "maps at a chosen address, and views what is mapped",
	"runtime/internal/futex/futex.go": "the kernel takes the word's address",
	"capi/":                           "C's pointers become slices and strings",
}

// longestFile bounds a file of code, in lines; longer ones become two rooms.
const longestFile = 500

// descriptorFree are the directories whose code runs inside host processes. There, neither the
// poller that comes with os.File, net and Go's timers may start, for its descriptors would leak at
// each fork of the host; nor may anything start processes or take the host's signals.
var descriptorFree = []string{"runtime", "codec", "capi"}

// goOnly are packages in there that are never in a host process: libpolyipc.so does not have them, which a test holds.
var goOnly = []string{"runtime/journal"}

// forbiddenImports and forbiddenNames are what starts the poller, or worse; harmless are below a forbidden import and
// start nothing.
var (
	harmless  = []string{"net/netip"} // addresses as values
	mayImport = map[[2]string]string{ // what a directory imports all the same
		{"runtime/tls", "net"}: "crypto/tls takes a net.Conn; this one is made of bytes",
	}
	forbiddenImports = []string{"net", "os/exec", "os/signal", "io/ioutil", "log", "plugin"}
	forbiddenNames   = []string{
		"os.Create", "os.CreateTemp", "os.DirFS", "os.File", "os.NewFile", "os.Open", "os.OpenFile", "os.OpenRoot",
		"os.Pipe", "os.ReadDir", "os.ReadFile", "os.RemoveAll", "os.StartProcess", "os.Stderr", "os.Stdin",
		"os.Stdout", "os.WriteFile", "filepath.Glob", "filepath.Walk", "filepath.WalkDir",
		"time.After", "time.AfterFunc", "time.NewTicker", "time.NewTimer", "time.Sleep", "time.Tick",
		"context.WithDeadline", "context.WithTimeout", "context.WithDeadlineCause", "context.WithTimeoutCause",
		"fmt.Print", "fmt.Printf", "fmt.Println",
	}
)
