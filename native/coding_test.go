package native

import (
	"net/http"
	"testing"
)

func TestCoding(t *testing.T) {
	for accepts, want := range map[string]string{
		"":                                  "",
		"gzip, deflate, br, zstd":           "br",
		"gzip, deflate":                     "gzip",
		"br, gzip":                          "br",
		"gzip;q=1.0, br;q=0.9":              "gzip",
		"BR ; Q=0.5 , gzip;q=0.5":           "br",
		"br;q=0, gzip;q=0":                  "",
		"br;q=0, *":                         "gzip",
		"*":                                 "br",
		"*;q=0":                             "",
		"*;q=0, gzip;q=0.001":               "gzip",
		"identity":                          "",
		"identity, gzip":                    "gzip",
		"identity, br;q=0.5":                "",
		"identity;q=0":                      "",
		"identity;q=0.2, br;q=0.1":          "",
		"br;q=2, gzip;q=x, deflate":         "",
		"br;level=3":                        "",
		"br;q=NaN":                          "",
		",, ;q=1, x-br, brotli, gzipped":    "",
		"deflate;q=0.9, gzip;q=0.8, br;q=0": "gzip",
	} {
		if got := coding(&http.Request{Header: http.Header{"Accept-Encoding": {accepts}}}, "br", "gzip"); got != want {
			t.Errorf("%q: %q, not %q", accepts, got, want)
		}
	}
	if got := coding(&http.Request{Header: http.Header{"Accept-Encoding": {"gzip", "br"}}}, "br", "gzip"); got != "br" {
		t.Errorf("two lines: %q", got)
	}
}
