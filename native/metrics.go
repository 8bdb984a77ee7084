package native

// family is a metric, with the labels that tell its samples apart.
type family struct {
	name, kind, help string
	labels           []string
}

const (
	counter   = "counter"
	gauge     = "gauge"
	histogram = "histogram"
)

// families is the one list of metrics: what /metrics says, docs/operations.md, the alerts
// and the dashboard are held against it.
var families = []family{
	{"nanoring_build_info", gauge, "What runs the node: always 1. module is the SHA-256 of a sandboxed engine's.", []string{"version", "protocol", "engine", "module"}},
	{"nanoring_start_time_seconds", gauge, "When the node started, in Unix seconds.", nil},
	{"nanoring_ready", gauge, "1 if /readyz answers 200, else 0.", nil},
	{"nanoring_condition", gauge, "1 while the node is in the condition, else 0.", []string{"code", "severity"}},

	{"nanoring_members", gauge, "Nodes that belong to the ring, as this node knows it: durable ones, and guests.", []string{"kind", "state"}},
	{"nanoring_connections", gauge, "Open connections with other nodes, and of guests.", []string{"kind"}},
	{"nanoring_guests_max", gauge, "How many connections of guests there may be.", nil},

	{"nanoring_rounds_total", counter, "Rounds of the engine that runs.", nil},
	{"nanoring_round_trip_seconds", histogram, "From the gossip of a round to its ack.", nil},
	{"nanoring_frames_total", counter, "Frames that came in, or were sent.", []string{"kind", "direction"}},
	{"nanoring_frame_bytes_total", counter, "Bytes of them.", []string{"kind", "direction"}},
	{"nanoring_debts", gauge, "Changed records that some other node may lack, of those that are connected.", nil},
	{"nanoring_syncs_total", counter, "Reconciliations that this node has started. The bytes of frames of the kinds sync and synced are theirs.", nil},
	{"nanoring_syncs_lost_total", counter, "Reconciliations whose answer did not come in time.", nil},

	{"nanoring_suspicions_total", counter, "Nodes that became suspect, as this node saw it.", []string{"kind"}},
	{"nanoring_refutations_total", counter, "Suspects that were up again, as the process that they were.", []string{"kind"}},
	{"nanoring_false_alarms_total", counter, "Nodes held for down that were up again, as the process that they were.", []string{"kind"}},
	{"nanoring_own_refutations_total", counter, "How often others held this node for not alive, and it refuted that.", nil},
	{"nanoring_clock_offset_seconds", gauge, "How far this node's clock is ahead of those of other nodes: the median of the last rounds.", nil},

	{"nanoring_dials_total", counter, "Dials that ended, by how: ok, or the code of the failure.", []string{"result"}},
	{"nanoring_closed_connections_total", counter, "Connections that were closed, by the code and by whom.", []string{"code", "by"}},
	{"nanoring_door_drops_total", counter, "TCP connections that were dropped before anything was asked on them.", []string{"cause"}},
	{"nanoring_refused_requests_total", counter, "HTTP requests, WebSockets among them, that were answered with a problem, by its code.", []string{"code"}},

	{"nanoring_messages_sent_total", counter, "Messages and questions that programs at this node sent.", []string{"verb"}},
	{"nanoring_messages_refused_total", counter, "Messages and questions that were not sent: there were too many at once.", nil},
	{"nanoring_messages_heard_total", counter, "Messages and questions that were heard at this node.", nil},
	{"nanoring_message_gaps_total", counter, "Gaps in what was heard: something was lost on the way.", nil},
	{"nanoring_messages_dropped_total", counter, "Messages that a listener at this node did not read in time.", nil},
	{"nanoring_messages_unread", gauge, "Messages that wait for listeners at this node.", nil},
	{"nanoring_listeners", gauge, "Who listens to messages at this node.", nil},
	{"nanoring_questions", gauge, "Questions that are open: asked by this node, or to be answered here.", []string{"side"}},
	{"nanoring_answers_total", counter, "Answers that were given here, or came.", []string{"direction"}},

	{"nanoring_log_lines_lost_total", counter, "Lines of the log that were lost: what reads it is too slow, or gone.", nil},

	{"nanoring_ring_file_writes_total", counter, "Writes of the ring file that ended: ok, or failed.", []string{"result"}},
	{"nanoring_ring_file_write_seconds", histogram, "How long writes of the ring file took.", nil},
	{"nanoring_ring_file_bytes", gauge, "How long the ring file is: a snapshot, and the changes after it.", nil},
	{"nanoring_ring_file_written_bytes_total", counter, "Bytes that were written of ring files, and changes to them.", nil},

	{"nanoring_engine_step_seconds", histogram, "How long the engine took for an input.", nil},
	{"nanoring_engine_traps_total", counter, "How often an engine broke, and was started again.", nil},
	{"nanoring_engine_memory_bytes", gauge, "Memory of the engine's module: of a sandboxed one only.", nil},

	{"go_goroutines", gauge, "Goroutines of the process.", nil},
}

// Upper bounds of the histograms, in seconds.
var (
	tripBounds  = []float64{.001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5}
	writeBounds = []float64{.001, .005, .01, .05, .1, .5, 1, 5, 10, 60}
	stepBounds  = []float64{.00001, .00005, .0001, .0005, .001, .005, .01, .05, .1, .5, 1}
)
