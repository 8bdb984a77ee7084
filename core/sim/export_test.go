package sim

// Hashed are names that have one hash.
var Hashed = hashed
