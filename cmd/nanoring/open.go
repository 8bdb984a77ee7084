package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// sessionLife is for how long an operator's session at the page is good: no longer than the
// token by which its link was made.
const sessionLife = 8 * time.Hour

// What a node says goes into a link, and a file that a browser opens: it has to be what nodes say.
var linkCode = regexp.MustCompile(`^[A-Za-z0-9_-]{43,86}$`)

const mostLinkSeconds = 3600

func openCommand(o *options) *cobra.Command {
	var page string
	var only, end bool
	cmd := &cobra.Command{
		Use:   "open",
		Short: "Open the node's page, as an operator",
		Long: `Open prints a link to the page of the node, and opens it in your browser, where
there is a display. In a ring with a secret the link works once, within 5 minutes,
and makes who opens it an operator, in that tab alone: it adds, removes, prunes and
cordons nodes, sets tags and asks questions, for 8 hours at most, and not beyond the
node's next restart, or the life of the token by which you ask. So give it to
nobody. A ring without a secret is operated by whoever opens its page.

--end ends the sessions of all tabs at this node, and the links that are not used.

The page is where --public-url of the node leads, or at its address; over --api it
is there. Say --page where your browser reaches it elsewhere, as by a tunnel: ssh -L
7946:127.0.0.1:7946 HOST. A page takes no link over http but from this machine, and
browsers do not know the ring's own CA: see docs/security.md for certificates.`,
		Example: `  nanoring --data data/dev1 open
  nanoring --data data/dev1 open --print
  nanoring --data data/dev1 open --page http://127.0.0.1:7946/
  nanoring --api https://10.0.0.5:7946 --secret-file ring.key open
  nanoring --data data/dev1 open --end`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if end && (only || page != "") {
				return usage(cmd, errors.New("--end makes no link: leave out --print and --page"))
			}
			var given *url.URL
			if page != "" {
				if given = pageOf(page); given == nil {
					return usage(cmd, fmt.Errorf("--page %s is no URL like http://127.0.0.1:7946/", page))
				}
			}
			o.tokenLife = sessionLife
			c, err := o.client(cmd)
			if err != nil {
				return err
			}
			if end {
				return endSessions(cmd, o, c)
			}
			b, err := c.call(cmd.Context(), http.MethodPost, pathLinks, nil)
			if err != nil {
				return err
			}
			var l struct {
				Page    string `json:"page"`
				Code    string `json:"code"`
				Seconds int64  `json:"seconds"`
			}
			if err := decode(b, &l); err != nil {
				return err
			}
			if c.data == "" {
				l.Page = c.base
			}
			u := cmp.Or(given, pageOf(l.Page))
			if u == nil {
				return fmt.Errorf("the node says that its page is at %s, which is no URL: say --page", l.Page)
			}
			link := u.String()
			if l.Code != "" {
				if !linkCode.MatchString(l.Code) || l.Seconds < 1 || l.Seconds > mostLinkSeconds {
					return fmt.Errorf("the node answers with no code of a link that a node makes, %.99q for %d s: is it one?", l.Code, l.Seconds)
				}
				if u.Scheme == "http" && !onThisMachine(u.Hostname()) {
					return plainPage(u)
				}
				link += "#open=" + l.Code
			}
			if o.output == "json" {
				return stdout(cmd).value(map[string]any{"link": link, "seconds": l.Seconds})
			}
			stdout(cmd).line(link)
			if o.output == "names" {
				return nil
			}
			says := stderr(cmd)
			if l.Code != "" {
				says.printf("It works once, until %s, and makes who opens it an operator: give it to nobody.\n", time.Now().Add(time.Duration(l.Seconds)*time.Second).Format("15:04:05"))
			}
			opener := browserOpener()
			if only || opener == "" {
				return nil
			}
			if err := openBrowser(opener, link); err != nil {
				says.printf("Your browser was not opened (%v): open the link yourself.\n", err)
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVar(&only, "print", false, "print the link, and open nothing")
	flags.StringVar(&page, "page", "", "`URL` of the page as your browser reaches it")
	flags.BoolVar(&end, "end", false, "end the sessions of operators at this node's page, and links that are not used")
	_ = cmd.RegisterFlagCompletionFunc("page", cobra.NoFileCompletions)
	return cmd
}

// pageOf is the page at a URL; nil if that is none.
func pageOf(text string) *url.URL {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimSuffix(u.Path, "/") + "/"}
}

// plainPage refuses to have a link be read by everybody on the way.
func plainPage(page *url.URL) error {
	return &failure{exitRefused, fmt.Errorf("%s: a page takes no link over http but from this machine, since everybody on the way could read it", page),
		"Say --page with its https URL, or with http://127.0.0.1:PORT/ where you have a tunnel to it."}
}

// endSessions ends what links to the page have begun, or would.
func endSessions(cmd *cobra.Command, o *options, c *client) error {
	b, err := c.call(cmd.Context(), http.MethodDelete, pathLinks, nil)
	if err != nil {
		return err
	}
	if o.output == "json" {
		return stdout(cmd).indented(b)
	}
	var ended struct{ Links, Sessions int }
	if err := decode(b, &ended); err != nil {
		return err
	}
	err = stdout(cmd).printf("ended %s, and %s that had not been used\n", many(ended.Sessions, "session"), many(ended.Links, "link"))
	return err
}
