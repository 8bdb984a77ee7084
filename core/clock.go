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

	given     int64 // the wall clock of the last input, as it was given
	suspended int64 // time that passed for the wall clock alone: the machine was suspended
	nap       int64 // for how long this process was not run, when it woke last,
	woke      int64 // at which time of newsTime
}

// newsTime is the clock by which messages become old: monotonic, and it does not stand
// still while the machine is suspended.
func (c *clock) newsTime() int64 { return c.mono + c.suspended }

// doze takes note of time that this process was not run: what comes on the
// connections of before may have waited for so long.
func (c *clock) doze(d int64) { c.nap, c.woke = d, c.newsTime() }

// suspend finds out whether the machine was suspended, when the monotonic clock has
// gone on by so much.
func (c *clock) suspend(wall, passed int64) {
	if d := wall - c.given - passed; c.given != 0 && d > Second {
		c.suspended += d
		c.doze(d)
	}
	c.given = wall
}

// setWall takes in the wall clock, and notes when it was set back.
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
