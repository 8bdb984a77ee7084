// Package ledger counts what each party costs, so that nobody's share can be taken by
// another: what is not in a ledger has no bound.
//
// A [Table] says of each kind of cost how much a single [Account], all of one party, and all
// parties may have of it. A party is who answers for accounts: a token, or an address. What
// it has used outlives its accounts: who comes back finds what it left.
//
// A ledger has no clock: who asks says what time it is, in microseconds of any origin. It is for one goroutine.
package ledger
