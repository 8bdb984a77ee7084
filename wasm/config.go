//go:build wasip1

package main

import (
	"strings"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

const (
	abiVersion = 1
	maxBuffer  = 64 << 20
	refused    = 1 // a key that there is not, or too late
)

var (
	config core.Config
	ring   *core.Ring // nil until create
	input  []byte     // where the host puts what it says: see buffer
	output []byte     // what it was told last: see out
)

//go:wasmexport abi
func abi() int32 { return abiVersion }

//go:wasmexport text
func text(key, value string) int32 {
	value = kept(value)
	if ring != nil {
		return commandText(key, value)
	}
	var field *string
	switch key {
	case "ring":
		field = &config.Ring
	case "name":
		field = &config.Name
	case "address":
		field = &config.Address
	case "join":
		config.Join = append(config.Join, value)
		return 0
	case "snapshot":
		config.Snapshot = []byte(value)
		return 0
	default:
		tag, ok := strings.CutPrefix(key, "tag:")
		if !ok {
			return refused
		}
		config.Tags = append(config.Tags, wire.Tag{Key: kept(tag), Value: value})
		return 0
	}
	*field = value
	return 0
}

//go:wasmexport number
func number(key string, value int64) int32 {
	if ring != nil {
		return refused
	}
	switch key {
	case "seed":
		config.Seed = uint64(value)
	case "instance-start":
		config.Instance.Start = value
	case "instance-nonce":
		config.Instance.Nonce = uint64(value)
	case "ephemeral":
		config.Ephemeral = value != 0
	case "joins":
		config.Joins = value != 0
	case "rejoin":
		config.Rejoin = value != 0
	case "takeover":
		config.Takeover = value != 0
	case "period":
		config.Period = value
	case "ack-timeout":
		config.AckTimeout = value
	case "patience":
		config.Patience = value
	case "removal-grace":
		config.RemovalGrace = value
	case "reap-after":
		config.ReapAfter = value
	case "max-guests":
		config.MaxGuests = int(value)
	default:
		return refused
	}
	return 0
}

//go:wasmexport create
func create() int64 {
	r, err := core.New(config)
	config = core.Config{} // the snapshot above all
	if err != nil {
		return out(appendConfigError(nil, err))
	}
	ring = r
	return 0
}
