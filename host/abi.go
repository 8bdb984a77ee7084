package host

import (
	"slices"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// What docs/abi.md says of imports and exports, to hold modules against.

const abiVersion = 1

// export names what the host calls.
type export int

const (
	callInitialize export = iota
	callABI
	callText
	callNumber
	callCreate
	callBuffer
	callSnapshot
	callStart
	callOpened
	callReceived
	callClosed
	callTick
	callAdd
	callDel
	callLeave
	callStop
	callOpenedAs
	callHandover
	callChanges
	callSetTags
	callCordon
	callDrain
	callJoin
	callSendMessage
	callTell
	callAsk
	callCallOff
	callAnswer
	callHear
	callCount
	exportCount
)

const (
	i32 = api.ValueTypeI32
	i64 = api.ValueTypeI64
)

// signature is what a function takes and returns.
type signature struct{ params, results []api.ValueType }

func takes(params ...api.ValueType) signature { return signature{params: params} }

func (s signature) returns(result api.ValueType) signature {
	return signature{s.params, []api.ValueType{result}}
}

var exports = [exportCount]struct {
	name string
	signature
}{
	callInitialize: {"_initialize", takes()},
	callABI:        {"abi", takes().returns(i32)},
	callText:       {"text", takes(i32, i32, i32, i32).returns(i32)},
	callNumber:     {"number", takes(i32, i32, i64).returns(i32)},
	callCreate:     {"create", takes().returns(i64)},
	callBuffer:     {"buffer", takes(i32).returns(i32)},
	callSnapshot:   {"snapshot", takes().returns(i64)},
	callStart:      {"start", takes(i64, i64)},
	callOpened:     {"opened", takes(i64, i64, i64, i32, i32, i32)},
	callReceived:   {"received", takes(i64, i64, i64, i32, i32)},
	callClosed:     {"closed", takes(i64, i64, i64, i32)},
	callTick:       {"tick", takes(i64, i64)},
	callAdd:        {"add", takes(i64, i64, i64, i32, i32, i32, i32)},
	callDel:        {"del", takes(i64, i64, i64, i32, i32)},
	callLeave:      {"leave", takes(i64, i64, i64)},
	callStop:       {"stop", takes(i64, i64, i64)},
	callOpenedAs:   {"opened_as", takes(i64, i64, i64, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32)},
	callHandover:   {"handover", takes().returns(i64)},
	callChanges:    {"changes", takes(i64).returns(i64)},
	callSetTags:    {"set_tags", takes(i64, i64, i64)},
	callCordon:     {"cordon", takes(i64, i64, i64, i32, i32, i32)},
	callDrain:      {"drain", takes(i64, i64, i64)},
	callJoin:       {"join", takes(i64, i64, i64)},

	callSendMessage: {"send_message", takes(i64, i64, i64, i32, i32, i32, i32)},
	callTell:        {"tell", takes(i64, i64, i64, i32, i32, i32, i32, i32, i32)},
	callAsk:         {"ask", takes(i64, i64, i64, i32, i32, i32, i32, i32, i64)},
	callCallOff:     {"call_off", takes(i64, i64, i64, i64)},
	callAnswer:      {"answer", takes(i64, i64, i64, i64, i32, i32, i32)},
	callHear:        {"hear", takes(i64, i64, i64)},

	callCount: {"count", takes(i32).returns(i64)},
}

// imported is a function that the host has for modules.
type imported struct {
	signature
	call func(*Engine, api.Memory, []uint64)
}

// imports are all that a module may ask for.
var imports = map[string]map[string]imported{
	"nanoring": {
		"dial":  {takes(i64, i32, i32), (*Engine).dial},
		"send":  {takes(i64, i32, i32), (*Engine).send},
		"close": {takes(i64, i32, i32, i32), (*Engine).close},
		"dirty": {takes(i64), (*Engine).dirty},
		"event": {takes(i32, i32), (*Engine).event},
		"wake":  {takes(i64), (*Engine).wake},
		"halt":  {takes(i32, i32, i32), (*Engine).halt},
	},
	"wasi_snapshot_preview1": {
		"args_get":          {takes(i32, i32).returns(i32), (*Engine).nothing},
		"args_sizes_get":    {takes(i32, i32).returns(i32), (*Engine).noSizes},
		"clock_time_get":    {takes(i32, i64, i32).returns(i32), (*Engine).clockTime},
		"environ_get":       {takes(i32, i32).returns(i32), (*Engine).nothing},
		"environ_sizes_get": {takes(i32, i32).returns(i32), (*Engine).noSizes},
		"fd_write":          {takes(i32, i32, i32, i32).returns(i32), (*Engine).write},
		"poll_oneoff":       {takes(i32, i32, i32, i32).returns(i32), (*Engine).poll},
		"proc_exit":         {takes(i32), (*Engine).exit},
		"random_get":        {takes(i32, i32).returns(i32), (*Engine).fillRandom},
		"sched_yield":       {takes().returns(i32), (*Engine).nothing},
	},
}

// check holds a module against the ABI, before it is given anything.
func check(m wazero.CompiledModule) error {
	if extra := unwanted(m); len(extra) > 0 {
		return unusable("it wants what it must not have: %s: take a module and a host of one release", strings.Join(extra, ", "))
	}
	has := m.ExportedFunctions()
	if _, ok := has["_start"]; ok {
		return unusable("it is a program (it exports _start), not a reactor: build it with -buildmode=c-shared")
	}
	var missing []string
	for _, x := range exports {
		if f, ok := has[x.name]; !ok || !x.is(f) {
			missing = append(missing, x.name)
		}
	}
	if len(missing) > 0 {
		return unusable("it does not export %s: it is not NanoRing's, or of another version of the ABI than %d: take a module and a host of one release", strings.Join(missing, ", "), abiVersion)
	}
	if _, ok := m.ExportedMemories()["memory"]; !ok {
		return unusable("it does not export its memory")
	}
	return nil
}

// unwanted lists the imports that there are not.
func unwanted(m wazero.CompiledModule) (extra []string) {
	for _, f := range m.ImportedFunctions() {
		from, name, _ := f.Import()
		if have, ok := imports[from][name]; !ok || !have.is(f) {
			extra = append(extra, from+"."+name)
		}
	}
	for _, mem := range m.ImportedMemories() {
		from, name, _ := mem.Import()
		extra = append(extra, from+"."+name)
	}
	return extra
}

func (s signature) is(f api.FunctionDefinition) bool {
	return slices.Equal(s.params, f.ParamTypes()) && slices.Equal(s.results, f.ResultTypes())
}
