package native

import "errors"

// IsRefused says whether an error is that of an address where nothing listens.
func IsRefused(err error) bool { return errors.Is(err, errRefused) }

// IsInUse says whether an error is that of an address where another process listens.
func IsInUse(err error) bool { return errors.Is(err, errInUse) }
