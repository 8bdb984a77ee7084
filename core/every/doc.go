// Package every lives all that can happen to a small ring: rings of two or three
// nodes and perhaps a guest, begun in a state that is prepared, in every schedule
// up to a depth. It plays the engines that core.New makes, and copies them where
// schedules part.
//
// A schedule is a row of choices. The first choice that there is, the fair one, is
// what would come next if nothing were amiss: a write ends, a frame arrives, or,
// when nothing is on its way, the next timer is due. All others are departures from
// it: another frame arrives first, time passes meanwhile, a node crashes or returns,
// a clock is set, an operator commands. What is explored is bounded by how many
// choices there are in which departures are possible, and by how many depart.
package every
