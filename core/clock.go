package core

// clock is the time of the step under way.
type clock struct {
	mono     int64 // of the input
	slept    int64 // of it, while this process was not run
	now      int64 // mono less slept: the ring's clock, on which all timers run
	wall     int64 // Unix microseconds; a guest's is its gateway's
	offset   int64 // of a guest's wall clock: its gateway's less its own
	wentBack bool  // the wall clock may have been ahead: see mintAnew
	minted   bool  // what can be done about it without a peer is done
}

// setWall takes in the wall clock, and notes when it was set back.
//
//go:noinline
func (c *clock) setWall(wall int64) {
	wall = max(wall, 1)
	if wall < c.wall-Second {
		c.wentBack, c.minted = true, false
	}
	c.wall = wall
}

// chase keeps a guest's wall clock near its gateway's, which is ahead by so much.
func (c *clock) chase(ahead int64) {
	if ahead > Second || ahead < -Second {
		c.offset += ahead
		c.setWall(c.wall + ahead)
	}
}
