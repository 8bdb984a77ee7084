package nanoring

// Version is that of all that is released together: the program, this Go module (whose tag has a
// v before it), the npm package, and the newest of CHANGELOG.md. It is written here, and the test
// beside it holds all others to it.
const Version = "0.1.0"
