package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/native"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// What serf 0.11 and memberlist 0.7 have, and docs/coming-from-serf.md has to have.
const (
	serfCommands = "agent event force-leave info join keygen keys leave members monitor query reachability rtt tags version"
	serfFlags    = "advertise bind broadcast-timeout config-dir config-file disable-compression discover encrypt event-handler iface join keyring-file " +
		"log-level mdns-disable-ipv4 mdns-disable-ipv6 mdns-iface node profile protocol rejoin replay retry-interval retry-join retry-max role rpc-addr " +
		"snapshot syslog tag tags-file"
	serfKeys = "advertise bind broadcast_timeout disable_coordinates disable_name_resolution discover enable_compression enable_syslog encrypt_key " +
		"event_handlers interface keyring_file leave_on_terminate log_level mdns.disable_ipv4 mdns.disable_ipv6 mdns.interface node_name profile protocol " +
		"query_response_size_limit query_size_limit reconnect_interval reconnect_timeout rejoin_after_leave replay_on_join retry_interval retry_join " +
		"retry_max_attempts role rpc_addr rpc_auth skip_leave_on_interrupt snapshot_path start_join statsd_addr statsite_addr syslog_facility tags " +
		"tags_file tombstone_timeout user_event_size_limit validate_node_names"
	serfVariables = "SERF_EVENT SERF_SELF_NAME SERF_SELF_ROLE SERF_TAG_X SERF_USER_EVENT SERF_USER_LTIME SERF_QUERY_NAME SERF_QUERY_LTIME SERF_RPC_ADDR SERF_RPC_AUTH"
	serfEvents    = "member-join member-failed member-leave member-reap member-update"
	serfRPC       = "handshake auth event query respond force-leave join leave members members-filtered stream stop monitor tags install-key use-key " +
		"remove-key list-keys stats get-coordinate"
	serfCommandFlags = "event -coalesce=false/force-leave -prune/join -replay/keys -install/keys -list/keys -remove/keys -use/members -detailed/members -format/" +
		"members -name/members -role/members -status/members -tag/query -format/query -no-ack/query -node/query -relay-factor/query -tag/query -timeout/" +
		"reachability -verbose/tags -delete/tags -set"
	memberlistConfig = "AdvertiseAddr AdvertisePort Alive AwarenessMaxMultiplier BindAddr BindPort CIDRsAllowed Conflict DNSConfigPath DeadNodeReclaimTime " +
		"Delegate DelegateProtocolMax DelegateProtocolMin DelegateProtocolVersion DisableTcpPings DisableTcpPingsForNode EnableCompression Events " +
		"GossipInterval GossipNodes GossipToTheDeadTime GossipVerifyIncoming GossipVerifyOutgoing HandoffQueueDepth IndirectChecks Keyring Label LogOutput " +
		"Logger Merge MetricLabels MsgpackUseNewTimeFormat Name Ping ProbeInterval ProbeTimeout ProtocolVersion PushPullInterval QueueCheckInterval " +
		"RequireNodeNames RetransmitMult SecretKey SkipInboundLabelCheck SuspicionMaxTimeoutMult SuspicionMult TCPTimeout Transport UDPBufferSize"
	memberlistRest = "Delegate.NodeMeta Delegate.NotifyMsg Delegate.GetBroadcasts Delegate.LocalState Delegate.MergeRemoteState EventDelegate " +
		"ChannelEventDelegate ConflictDelegate MergeDelegate PingDelegate AliveDelegate Create Join Members NumMembers LocalNode UpdateNode SendTo " +
		"SendToAddress SendToUDP SendToTCP SendBestEffort SendReliable Leave Shutdown Ping GetHealthScore ProtocolVersion " +
		"TransmitLimitedQueue NamedBroadcast UniqueBroadcast NodeAwareTransport NetTransport MockNetwork"
	serfPackage = "serf.Create EventCh UserEvent Query Respond LocalMember NumNodes RemoveFailedNode RemoveFailedNodePrune SetTags KeyManager Stats State " +
		"ReapInterval ReconnectTimeoutOverride TombstoneTimeout CoalescePeriod QuiescentPeriod FlapTimeout MaxQueueDepth EventBuffer QueryBuffer " +
		"RecentIntentTimeout GetCoordinate GetCachedCoordinate"
)

var codeSpan = regexp.MustCompile("`([^`\n]+)`")

// TestComingFromSerf: docs/coming-from-serf.md names all that serf and memberlist have, and what it
// names of NanoRing there is: commands with their flags and arguments, variables, fields and methods.
func TestComingFromSerf(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "coming-from-serf.md"))
	if err != nil {
		t.Fatal(err)
	}
	theirs := make(map[string]bool) // of tables, what stands in the first two cells
	seen := 0
	for line := range strings.Lines(string(text)) {
		cells := strings.SplitN(line, "|", 4)
		for _, cell := range cells[:len(cells)-1] {
			for _, span := range codeSpan.FindAllStringSubmatch(cell, -1) {
				theirs[span[1]] = true
				if words := strings.Fields(span[1]); words[0] == "serf" {
					theirs[strings.Join(words[:2], " ")] = true
				}
			}
		}
		for _, span := range codeSpan.FindAllStringSubmatch(line, -1) {
			theirs[span[1]] = theirs[span[1]] || strings.HasPrefix(span[1], "SERF_")
			if ours, why := checkSpan(span[1]); why != "" {
				t.Errorf("`%s`: %s", span[1], why)
			} else if ours {
				seen++
			}
		}
	}
	if seen < 150 {
		t.Errorf("it names %d things of NanoRing: the spans are not found", seen)
	}
	for what, list := range map[string]string{
		"serf ": serfCommands, "-": serfFlags, "": strings.Join([]string{serfKeys, serfVariables, serfEvents, serfRPC, memberlistConfig, memberlistRest, serfPackage}, " "),
	} {
		for _, word := range strings.Fields(list) {
			if !theirs[what+word] {
				t.Errorf("%s%s is not in it", what, word)
			}
		}
	}
	for flag := range strings.SplitSeq(serfCommandFlags, "/") {
		if !theirs["serf "+flag] {
			t.Errorf("serf %s is not in it", flag)
		}
	}
}

// checkSpan says whether code in the text is something of NanoRing, and if so what is wrong with it.
func checkSpan(span string) (ours bool, why string) {
	root, _ := newRoot()
	node, _, _ := root.Find([]string{"node"})
	switch word, rest, _ := strings.Cut(span, "."); {
	case strings.HasPrefix(span, "nanoring ") && span != "nanoring COMMAND --help":
		return true, wrongCommand(root, words(span)[1:])
	case strings.HasPrefix(span, "--") && !strings.Contains(span, "…"):
		node.InheritedFlags() // which has them parsed, too
		if err := node.ParseFlags(complete(node, words(span))); err != nil {
			return true, err.Error()
		}
		return true, ""
	case strings.HasPrefix(span, "NANORING_"):
		return true, wrongVariable(root, node, span)
	case word == "node" && rest != "":
		if _, ok := reflect.TypeFor[*native.Node]().MethodByName(rest); !ok {
			return true, "a Node has no such method"
		}
		return true, ""
	case word == "Config" || word == "Times":
		of := reflect.TypeFor[native.Config]()
		if word == "Times" {
			of = reflect.TypeFor[native.Times]()
		}
		if _, ok := of.FieldByName(rest); !ok {
			return true, "there is no such field"
		}
		return true, ""
	}
	return false, ""
}

func wrongCommand(root *cobra.Command, args []string) string {
	cmd, rest, err := root.Find(args)
	if err != nil {
		return err.Error()
	}
	if cmd == root || slices.ContainsFunc(rest, func(arg string) bool { return cmd.HasSubCommands() && !strings.HasPrefix(arg, "-") }) {
		return "there is no such command"
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return err.Error()
	}
	if output := cmd.Flag("output"); output != nil && output.Changed && !slices.Contains(outputs, output.Value.String()) && cmd.Annotations["output"] != output.Value.String() {
		return "there is no such output"
	}
	if positional := cmd.Flags().Args(); len(positional) > 0 {
		if err := cmd.ValidateArgs(positional); err != nil {
			return err.Error()
		}
	}
	return ""
}

func wrongVariable(root, node *cobra.Command, name string) string {
	found := strings.HasPrefix(name, "NANORING_TAG_") ||
		slices.Contains(strings.Fields("NANORING_NODE NANORING_FROM NANORING_TOPIC NANORING_EVENT NANORING_DATA"), name)
	for _, flags := range []*pflag.FlagSet{root.PersistentFlags(), node.Flags()} {
		flags.VisitAll(func(f *pflag.Flag) { found = found || slices.Contains(f.Annotations[envOf], name) })
	}
	if !found {
		return "there is no such variable"
	}
	return ""
}

// complete gives a flag that stands alone, and takes a value, one that it can take.
func complete(cmd *cobra.Command, args []string) []string {
	f := cmd.Flags().Lookup(strings.TrimPrefix(args[0], "--"))
	if len(args) > 1 || f == nil || f.NoOptDefVal != "" {
		return args
	}
	switch f.Value.Type() {
	case "duration":
		return append(args, "1s")
	case "int":
		return append(args, "1")
	}
	return append(args, "x")
}

// words splits text as a shell does that knows single quotes alone.
func words(text string) (all []string) {
	for i, part := range strings.Split(text, "'") {
		if i%2 == 1 {
			all = append(all, part)
		} else {
			all = append(all, strings.Fields(part)...)
		}
	}
	return all
}
