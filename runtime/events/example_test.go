package events_test

import (
	"log/slog"
	"os"

	"github.com/polyipc/polyipc/runtime/events"
)

// A program whose log is slog's default one. Handlers choose their levels.
func ExampleSetHandler() {
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo})))
	events.SetHandler(slog.Default().Handler().WithGroup("polyipc"))
	defer events.SetHandler(nil)
}
