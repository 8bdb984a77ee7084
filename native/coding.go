package native

import (
	"net/http"
	"strconv"
	"strings"
)

// coding picks the content coding of an answer by what its request accepts (RFC 9110, 12.5.3): the
// one of the greatest weight, of equals the first. Identity is what is left, whatever is said of it.
func coding(r *http.Request, offered ...string) string {
	weights := make(map[string]float64)
	for _, line := range r.Header.Values("Accept-Encoding") {
		for item := range strings.SplitSeq(line, ",") {
			name, params, weighed := strings.Cut(item, ";")
			weight := 1.0
			if key, value, _ := strings.Cut(params, "="); weighed {
				if !strings.EqualFold(strings.TrimSpace(key), "q") {
					continue
				}
				var err error
				if weight, err = strconv.ParseFloat(strings.TrimSpace(value), 64); err != nil || !(weight >= 0 && weight <= 1) {
					continue
				}
			}
			weights[strings.ToLower(strings.TrimSpace(name))] = weight
		}
	}
	best, most := "", weights["identity"]
	for _, name := range offered {
		weight, said := weights[name]
		if !said {
			weight = weights["*"]
		}
		if weight > 0 && (weight > most || best == "" && weight == most) {
			best, most = name, weight
		}
	}
	return best
}
