package core

import (
	"slices"

	"github.com/nanoring/nanoring/core/wire"
)

// join takes other addresses to join, and dials them at once if nobody has let this
// node in.
func (o *overlay) join(cmd *Command) (wire.Code, string) {
	for _, addr := range cmd.Join {
		if err := wire.ValidAddress(addr); err != nil {
			return wire.CodeInvalid, err.Error()
		}
	}
	o.cfg.Join = slices.Clone(cmd.Join)
	found := o.found
	o.found = make(map[string]string)
	for _, addr := range o.cfg.Join {
		if name := found[addr]; name != "" {
			o.found[addr] = name
		}
	}
	o.maintain()
	o.replica.result(cmd.ID, cmd.Name, 0, "")
	return 0, ""
}
