package core

import (
	"slices"

	"github.com/nanoring/nanoring/core/wire"
)

// join takes other addresses to join, and dials the new ones at once: an island of the
// ring may be there.
func (o *overlay) join(cmd *Command) (wire.Code, string) {
	for _, addr := range cmd.Join {
		if err := wire.ValidAddress(addr); err != nil {
			return wire.CodeInvalid, err.Error()
		}
	}
	before, found := o.cfg.Join, o.found
	o.cfg.Join, o.found = slices.Clone(cmd.Join), make(map[string]string)
	for _, addr := range o.cfg.Join {
		if name := found[addr]; name != "" {
			o.found[addr] = name
		}
		if !slices.Contains(before, addr) && !o.cfg.Ephemeral {
			o.dialTo(addr)
		}
	}
	o.replica.result(cmd.ID, cmd.Name, 0, "")
	return 0, ""
}
