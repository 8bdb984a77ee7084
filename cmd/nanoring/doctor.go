package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
)

// finding is something that the doctor found.
type finding struct {
	Severity string   `json:"severity"` // error, warning, info
	Code     string   `json:"code"`
	Nodes    []string `json:"nodes"`
	Text     string   `json:"text"`
	Do       string   `json:"do"`
}

// about is what a node says of itself, as it answers.
type about struct {
	Name       string           `json:"name"`
	Clock      time.Time        `json:"clock"`
	Version    string           `json:"version"`
	Protocol   int              `json:"protocol"`
	Engine     string           `json:"engine"`
	Module     string           `json:"module"`
	Secrets    []string         `json:"secrets"`
	Settings   map[string]int64 `json:"settings"`
	DiskFree   uint64           `json:"disk_free"`
	Conditions []condition      `json:"conditions"`
}

// settling is for how long records that differ may be news on its way.
const settling = 5 * time.Second

func doctorCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Look over the whole ring, and say what to do",
		Long: `Doctor asks all nodes that are up how they do, and has each dial all others. It
looks at what each node says is wrong with it (its conditions), at who is down or
does not answer, at clocks, at who reaches whom in one direction only, at the
space on disks, at the ids of secrets, versions, digests of modules and settings
that differ, and at records that do not become the same. Each finding has a
severity, and what to do.

The status is 0 if there is none that is worse than an info, else 1.`,
		Example: "  nanoring --data data/dev1 doctor\n  nanoring --data data/dev1 doctor -o json\n  nanoring --api http://127.0.0.1:7001 doctor -o names",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := o.client(cmd)
			if err != nil {
				return err
			}
			all, asked, err := c.examine(cmd.Context())
			if err != nil {
				return err
			}
			bad := 0
			for _, f := range all {
				if f.Severity != "info" {
					bad++
				}
			}
			out := stdout(cmd)
			switch o.output {
			case "json":
				err = out.value(struct {
					Healthy  bool      `json:"healthy"`
					Answered int       `json:"answered"`
					Findings []finding `json:"findings"`
				}{bad == 0, asked, append([]finding{}, all...)})
			case "names":
				for _, f := range all {
					out.line(f.Code)
				}
			default:
				for _, f := range all {
					out.printf("%-8s %s: %s\n%9s%s\n", strings.ToUpper(f.Severity), f.Code, f.on()+f.Text, "", f.Do)
				}
				if bad == 0 {
					out.printf("healthy: %d answered\n", asked)
				}
			}
			if err == nil && bad > 0 {
				err = fmt.Errorf("findings: %d", bad)
			}
			return err
		},
	}
}

// on says on which nodes it is.
func (f *finding) on() string {
	if len(f.Nodes) == 0 {
		return ""
	}
	return few(f.Nodes) + ": "
}

// few names nodes, or so many of them that they can be read.
func few(names []string) string {
	const most = 5
	if more := len(names) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), more)
	}
	return strings.Join(names, ", ")
}

// examine finds out what there is to find, the worst first.
func (c *client) examine(ctx context.Context) ([]finding, int, error) {
	members, err := c.members(ctx, pathNodes)
	if err != nil {
		return nil, 0, err
	}
	e := exam{members: members}
	errs := make([]error, 3)
	var wg sync.WaitGroup // who does not answer is waited for once
	wg.Go(func() { e.nodes, errs[0] = inquire[about](ctx, c, "nanoring.node", "", "") })
	wg.Go(func() { e.reaches, errs[1] = inquire[reach](ctx, c, "nanoring.reach", "", "") })
	wg.Go(func() {
		for until := time.Now().Add(settling); ; time.Sleep(time.Second) { // or it is news on its way
			e.records, errs[2] = inquire[holding](ctx, c, "nanoring.records", "", "")
			if errs[2] != nil || len(e.apart()) == 0 || time.Now().After(until) {
				return
			}
		}
	})
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, 0, err
		}
	}
	return e.findings(), len(e.nodes.answers), nil
}
