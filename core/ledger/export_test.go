package ledger

// Parties is how many are kept.
func Parties(l *Ledger) int { return len(l.parties) }
