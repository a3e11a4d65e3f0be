package serve

import "time"

// HurryGreetings shortens the time of a greeting, for tests that wait for its end.
func HurryGreetings(long, short time.Duration) { greetingTime, hurriedTime = long, short }

// BoundInFlight lowers how many bytes may be under way to and from remote clients.
func BoundInFlight(n int) { mostInFlight = n }
