package ledger

// fewParties is how many are kept without a look at which of them have nothing any more.
const fewParties = 64

// Ledger has the accounts of all parties.
type Ledger struct {
	table   Table
	all     []bucket
	parties map[string]*party
	look    int // how many parties there have to be for the next look
}

type party struct {
	used     []bucket
	accounts int
}

// Account is what one of a party has used. It is closed by its owner.
type Account struct {
	ledger *Ledger
	party  *party // nil: it answers for itself alone
	used   []bucket
	closed bool
}

// New makes a ledger of what a table has.
func New(table Table) *Ledger {
	return &Ledger{table: table, all: make([]bucket, len(table)), parties: make(map[string]*party), look: fewParties}
}

// Open opens an account of a party, or of none if it is "".
func (l *Ledger) Open(now int64, name string) *Account {
	a := &Account{ledger: l, used: make([]bucket, len(l.table))}
	if name == "" {
		return a
	}
	p := l.parties[name]
	if p == nil {
		if len(l.parties) >= l.look {
			l.forget(now)
		}
		p = &party{used: make([]bucket, len(l.table))}
		l.parties[name] = p
	}
	p.accounts++
	a.party = p
	return a
}

// Close ends an account. What it has used is still its party's, until it comes back by itself
// or, where it is held, is given back: it may be after this.
func (a *Account) Close() {
	if a.party != nil && !a.closed {
		a.party.accounts--
	}
	a.closed = true
}

// Take takes an amount, if its account, its party and all have so much left, and says else
// of which of them there is not enough; it takes nothing then.
func (a *Account) Take(now int64, k Kind, amount int64) Scope {
	row := &a.ledger.table[k]
	switch {
	case !a.used[k].has(now, amount, row.One):
		return One
	case a.party != nil && !a.party.used[k].has(now, amount, row.Party):
		return Party
	case !a.ledger.all[k].has(now, amount, row.All):
		return All
	}
	a.add(k, amount)
	return Enough
}

// Give gives back what was taken of what does not come back by itself.
func (a *Account) Give(k Kind, amount int64) { a.add(k, -amount) }

func (a *Account) add(k Kind, amount int64) {
	row := &a.ledger.table[k]
	a.used[k].add(amount, row.One)
	if a.party != nil {
		a.party.used[k].add(amount, row.Party)
	}
	a.ledger.all[k].add(amount, row.All)
}

// Used is how much of a kind all have used that has not come back.
func (l *Ledger) Used(now int64, k Kind) int64 {
	l.all[k].settle(now, l.table[k].All)
	return (l.all[k].used + second - 1) / second
}

// forget lets go of parties that have neither an account nor anything used.
func (l *Ledger) forget(now int64) {
	for name, p := range l.parties {
		if p.accounts == 0 && l.isIdle(now, p) {
			delete(l.parties, name)
		}
	}
	l.look = max(2*len(l.parties), fewParties)
}

func (l *Ledger) isIdle(now int64, p *party) bool {
	for k := range p.used {
		if p.used[k].settle(now, l.table[k].Party); p.used[k].used > 0 {
			return false
		}
	}
	return true
}
