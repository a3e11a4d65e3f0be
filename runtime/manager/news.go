package manager

import "context"

// An event loop does not wait for each of its calls: it minds them, and one wait tells which have ended. News are the
// numbers of calls, twice, and of subscriptions with an event, twice and one more.

// Mind has News tell once when a call has ended, or that there is none of this number.
func (c *Client) Mind(id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if call := c.calls[id]; call != nil && !call.done {
		call.minded = true
		return
	}
	c.note(id << 1)
}

// MindEvents has News tell once when a subscription has an event, or can have none any more.
func (c *Client) MindEvents(id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if sub := c.subs[id]; sub != nil && c.line != nil && len(sub.events) == 0 {
		sub.minded = true
		return
	}
	c.note(id<<1 | 1)
}

// AwaitNews waits until News has something to tell. When the line is lost all that was minded has ended.
func (c *Client) AwaitNews(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wait(ctx, &c.told, func() bool { return len(c.news) > 0 })
}

// News writes what came to to, as much as there is room for, and returns how much that is.
func (c *Client) News(to []uint64) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := copy(to, c.news)
	c.news = append(c.news[:0], c.news[n:]...)
	return n
}

// note keeps news for who asks. Under mu.
func (c *Client) note(what uint64) {
	c.news = append(c.news, what)
	c.told.wakeAll()
}

func (c *Client) noteEnd(id uint64, call *call) {
	if call.minded {
		call.minded = false
		c.note(id << 1)
	}
}

func (c *Client) noteEvents(id uint64, sub *subscription) {
	if sub.minded {
		sub.minded = false
		c.note(id<<1 | 1)
	}
}
