package native

import (
	_ "embed"
	"net/http"
)

// openAPI describes the HTTP API for programs, as docs/api.md does for people.
//
//go:embed openapi.json
var openAPI []byte

func getOpenAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Write(openAPI)
}
