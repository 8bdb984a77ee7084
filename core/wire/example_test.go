package wire_test

import (
	"errors"
	"fmt"

	"github.com/nanoring/nanoring/core/wire"
)

func Example() {
	sent := wire.Frame{Kind: wire.KindRumor, Records: []wire.Record{{
		Set:   wire.Nodes,
		Name:  "dev2",
		Stamp: 1795467600000000,
		Value: wire.Member{Address: "127.0.0.1:7002"}.Value(),
	}}}
	b := sent.Append(nil)
	fmt.Printf("%d bytes\n", len(b))

	var got wire.Frame
	if err := got.Decode(b); err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range got.Records {
		m, err := wire.ParseMember(r.Value)
		fmt.Println(r.Name, r.Stamp, m.Address, err)
	}

	err := got.Decode(b[:20])
	fmt.Println(err)
	fmt.Println(errors.Is(err, wire.ErrTruncated))
	// Output:
	// 38 bytes
	// dev2 1795467600000000 127.0.0.1:7002 <nil>
	// record.value: it needs more bytes than there are (truncated, byte 20)
	// true
}
