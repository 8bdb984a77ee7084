package ledger

// second is how many units of time a rate is for.
const second = 1_000_000

// Limit bounds a cost: so much at once, of which so much comes back by itself each second. Where
// nothing comes back it is held, until it is given back. A Burst of 0 bounds nothing.
type Limit struct {
	Burst, Rate int64
}

// Kind is a kind of cost: its place in the ledger's Table.
type Kind uint8

// Row is what a kind of cost is, and who may have how much of it.
type Row struct {
	What   string // for people, with its unit
	One    Limit  // an account: a connection, or a request's address
	Party  Limit  // all accounts of a party
	All    Limit  // all there are
	Beyond string // what happens to more, for people
}

// Table has a row of each kind.
type Table []Row

// Scope is whose limit it is.
type Scope uint8

// The scopes.
const (
	Enough Scope = iota // nobody's: there is enough
	One
	Party
	All
)

// bucket is what was used of a limit: a token bucket. The zero bucket is full.
type bucket struct {
	used int64 // times second
	at   int64 // when
}

// settle brings a bucket up to a time.
func (b *bucket) settle(now int64, l Limit) {
	back := (now - b.at) * l.Rate
	if l.Rate > 0 && (back < 0 || now-b.at > l.Burst*second/l.Rate) {
		back = b.used // all of it, and nothing runs over
	}
	b.used, b.at = max(b.used-back, 0), now
}

// has says whether so much is left.
func (b *bucket) has(now, amount int64, l Limit) bool {
	if l.Burst == 0 {
		return true
	}
	b.settle(now, l)
	return b.used+amount*second <= l.Burst*second
}

// add takes an amount, or gives it back.
func (b *bucket) add(amount int64, l Limit) {
	if l.Burst != 0 {
		b.used = max(b.used+amount*second, 0)
	}
}
