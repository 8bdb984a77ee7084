package core

// Counts are what an engine tells of its work, for metrics: no input of it, and no
// effect, depends on who asks. They begin at 0 with each engine.
type Counts [5]uint64

// What Counts has, by its number in the ABI.
const (
	CountRounds    = iota // rounds so far
	CountDebts            // changed records that somebody may lack, at the moment
	CountSyncs            // reconciliations that this node has started
	CountLostSyncs        // of them, those whose answer did not come in time
	CountRefuted          // how often others held this process for not alive, and it refuted that
)

// Counts implements Counter; it returns no error.
func (r *Ring) Counts() (Counts, error) {
	owed := r.debts.by.len
	for _, c := range r.overlay.live {
		owed += len(c.place.own)
	}
	return Counts{r.overlay.rounds, uint64(owed), r.reconciler.syncs, r.reconciler.lost, r.detector.accused}, nil
}

// Counter is an Engine that tells of its work, as *Ring and *host.Engine do.
type Counter interface {
	// Counts returns it. After an error the engine is unusable, as after one of Step.
	Counts() (Counts, error)
}
