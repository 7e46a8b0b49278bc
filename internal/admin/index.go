package admin

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
)

//go:embed index.html
var indexHTML string

// index is the page for a person who opened the port in a browser: what this is, how it is, where to look.
func index(ask func() Status, respond responder) http.Handler {
	page := template.Must(template.New("index").Parse(indexHTML))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var buffer bytes.Buffer
		if err := page.Execute(&buffer, ask()); err != nil {
			respond.logger.ErrorContext(r.Context(), "admin page could not be rendered", "error", err)
			respond.json(w, r, http.StatusInternalServerError, problem{"the page could not be rendered; see the log"})
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if _, err := w.Write(buffer.Bytes()); err != nil {
			respond.logger.DebugContext(r.Context(), "admin reader went away", "path", r.URL.Path, "error", err)
		}
	})
}
